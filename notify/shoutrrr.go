package notify

import (
	"context"
	"fmt"
	"mime"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/vigiaguard/vigia"
)

// titled are the services that show a title of its own; for the others it is the
// first line of the text.
var titled = map[string]bool{
	"bark": true, "discord": true, "gotify": true, "lark": true,
	"pushbullet": true, "pushover": true, "smtp": true, "teams": true,
}

// gotifyPriority is what Gotify calls our levels.
var gotifyPriority = map[vigia.Level]string{vigia.LevelInfo: "4", vigia.LevelWarning: "7", vigia.LevelCritical: "10"}

// shoutrrrSender sends by the library's service for a URL. Each message gets a
// new one: they keep what they were told with the message before.
func shoutrrrSender(name string, address vigia.Secret) (sender, error) {
	service, err := locate(name, address)
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, m Message) error {
		text, params := m.Body(), types.Params{}
		switch {
		case name == "smtp":
			params.SetTitle(mime.QEncoding.Encode("utf-8", m.Subject()))
		case titled[name]:
			params.SetTitle(m.Subject())
		default:
			text = m.Subject() + "\n\n" + text
		}
		if name == "gotify" {
			params["priority"] = gotifyPriority[m.Level]
		}
		if name != "matrix" { // which would sign in anew
			var err error
			if service, err = locate(name, address); err != nil {
				return err
			}
		}
		return service.Send(text, &params)
	}, nil
}

// locate makes the library's service. Its errors quote the URL, so that none of
// them travels.
func locate(name string, address vigia.Secret) (types.Service, error) {
	var services router.ServiceRouter
	service, err := services.Locate(address.Reveal())
	if err != nil {
		return nil, fmt.Errorf("%w: %s does not take what follows %s://", ErrURL, name, name)
	}
	return service, nil
}
