package notify

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"

	"github.com/vigiaguard/vigia"
)

// ntfyTopic is where messages go: the library reads the URL, we send. Its own
// sending keeps the title and the priority of the first message for all that
// follow.
type ntfyTopic struct {
	config *ntfy.Config
	client http.Client
}

var ntfyPriority = map[vigia.Level]string{vigia.LevelInfo: "default", vigia.LevelWarning: "high", vigia.LevelCritical: "max"}

func ntfySender(address vigia.Secret) (sender, error) {
	parsed, err := url.Parse(address.Reveal())
	var service ntfy.Service
	if err == nil {
		err = service.Initialize(parsed, nil)
	}
	if err != nil || service.Config.Host == "" {
		return nil, fmt.Errorf("%w: ntfy takes ntfy://host/topic", ErrURL)
	}
	topic := &ntfyTopic{config: service.Config, client: freshClient()}
	if service.Config.DisableTLSVerification {
		topic.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // its owner wrote so into the URL
	}
	return topic.send, nil
}

func (t *ntfyTopic) send(ctx context.Context, m Message) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.config.GetAPIURL(), strings.NewReader(m.Body()))
	if err != nil {
		return errRequest
	}
	c, headers := t.config, request.Header
	for name, value := range map[string]string{
		"Title": m.Subject(), "Priority": ntfyPriority[m.Level], "Tags": strings.Join(c.Tags, ","), "Actions": strings.Join(c.Actions, ";"),
		"Click": c.Click, "X-Icon": c.Icon, "Attach": c.Attach, "Filename": c.Filename, "Email": c.Email, "Delay": c.Delay,
	} {
		if value != "" {
			headers.Set(name, value)
		}
	}
	headers.Set("Content-Type", "text/plain; charset=utf-8")
	if !c.Cache {
		headers.Set("Cache", "no")
	}
	if !c.Firebase {
		headers.Set("Firebase", "no")
	}
	if c.Username != "" || c.Password != "" {
		request.SetBasicAuth(c.Username, c.Password)
	}
	var answer struct{} // any JSON object: what is not ntfy does not give one
	return call("ntfy", &t.client, request, &answer)
}
