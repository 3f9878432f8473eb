package notify

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// errRequest stands for errors of making a request: those quote its URL.
var errRequest = errors.New("make the request")

// mostAnswer is how much of an answer is read, in bytes.
const mostAnswer = 64 << 10

// freshClient connects for each request anew: messages are rare, and what is not
// kept open need not be closed.
func freshClient() http.Client {
	return http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
}

// call sends a request and takes nothing for a success but a good status and an
// answer in JSON. Other errors than a *SendError may quote the URL.
func call(channel string, client *http.Client, request *http.Request, answer any) error {
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	err = json.NewDecoder(io.LimitReader(response.Body, mostAnswer)).Decode(answer)
	if good(response.StatusCode) && err == nil {
		return nil
	}
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // a date counts as none
	return &SendError{Channel: channel, Kind: ErrRefused, Status: response.StatusCode, RetryAfter: time.Duration(max(0, seconds)) * time.Second}
}

func good(status int) bool {
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}
