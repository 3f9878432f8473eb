package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/telegram"

	"github.com/vigiaguard/vigia"
)

const telegramAPI = "https://api.telegram.org"

// telegramChat is where messages go: the library reads the URL, we send. Its own
// sending takes every answer that is not Telegram's JSON, and no answer at all,
// for a success.
type telegramChat struct {
	method string // the URL of sendMessage, with the token
	config *telegram.Config
	client http.Client
}

func telegramSender(address vigia.Secret, at string) (sender, error) {
	parsed, err := url.Parse(address.Reveal())
	var service telegram.Service
	if err == nil {
		err = service.Initialize(parsed, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: telegram takes telegram://token@telegram?chats=id", ErrURL)
	}
	config := service.GetConfig()
	chat := &telegramChat{config: config, method: at + "/bot" + config.Token + "/sendMessage", client: freshClient()}
	return chat.send, nil
}

// send sends to every chat, and fails when any of them did not take it.
func (t *telegramChat) send(ctx context.Context, m Message) error {
	var failed []error
	for _, chat := range t.config.Chats {
		if err := t.post(ctx, chat, m); err != nil {
			failed = append(failed, asSendError("telegram", err))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return failed[0]
}

type telegramMessage struct {
	Chat      string `json:"chat_id"`
	Thread    int    `json:"message_thread_id,omitempty"`
	Text      string `json:"text"`
	Silent    bool   `json:"disable_notification,omitempty"`
	NoPreview bool   `json:"disable_web_page_preview,omitempty"`
}

type telegramAnswer struct {
	OK         bool `json:"ok"`
	Code       int  `json:"error_code"`
	Parameters struct {
		RetryAfter int `json:"retry_after"` // seconds
	} `json:"parameters"`
}

func (t *telegramChat) post(ctx context.Context, chat string, m Message) error {
	out := telegramMessage{Chat: chat, Text: m.Subject() + "\n\n" + m.Body(), Silent: !t.config.Notification, NoPreview: !t.config.Preview}
	if id, thread, ok := strings.Cut(chat, ":"); ok {
		if n, err := strconv.Atoi(thread); err == nil {
			out.Chat, out.Thread = id, n
		}
	}
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.method, bytes.NewReader(body))
	if err != nil {
		return errRequest
	}
	request.Header.Set("Content-Type", "application/json")
	var answer telegramAnswer
	err = call("telegram", &t.client, request, &answer)
	var refused *SendError
	switch {
	case err == nil && !answer.OK:
		return &SendError{Channel: "telegram", Kind: ErrRefused, Status: answer.Code}
	case errors.As(err, &refused):
		refused.RetryAfter = max(refused.RetryAfter, time.Duration(answer.Parameters.RetryAfter)*time.Second)
	}
	return err
}
