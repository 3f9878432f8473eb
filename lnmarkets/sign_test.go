package lnmarkets_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/lnmarkets"
)

type signatureVector struct {
	ID     string `json:"id"`
	Inputs struct {
		Secret    string           `json:"secret"`
		Payload   string           `json:"payload"`
		Timestamp lnmarkets.Millis `json:"timestamp_ms"`
		Method    string           `json:"method"`
		Path      string           `json:"path"`
		Search    string           `json:"search"`
		Body      string           `json:"body"`
		Nonce     string           `json:"nonce"`
	} `json:"inputs"`
	Expected struct {
		Signature string `json:"signature"`
	} `json:"expected"`
}

func signatureVectors(t *testing.T, group string) []signatureVector {
	t.Helper()
	raw, err := os.ReadFile("testdata/signature-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors map[string][]signatureVector `json:"vectors"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors[group]) == 0 {
		t.Fatalf("there are no vectors of %s", group)
	}
	return file.Vectors[group]
}

func TestSignaturesOfREST(t *testing.T) {
	t.Parallel()
	for _, v := range signatureVectors(t, "signature_rest_v3") {
		data := v.Inputs.Body
		if data == "" {
			data = v.Inputs.Search
		}
		got := lnmarkets.Signature(vigia.NewSecret(v.Inputs.Secret), v.Inputs.Timestamp, v.Inputs.Method, v.Inputs.Path, data)
		if got != v.Expected.Signature {
			t.Errorf("%s: got %s, want %s", v.ID, got, v.Expected.Signature)
		}
	}
}

func TestSignaturesOfTheStream(t *testing.T) {
	t.Parallel()
	for _, v := range signatureVectors(t, "signature_stream_v1") {
		got := lnmarkets.StreamSignature(vigia.NewSecret(v.Inputs.Secret), v.Inputs.Timestamp, v.Inputs.Nonce)
		if got != v.Expected.Signature {
			t.Errorf("%s: got %s, want %s", v.ID, got, v.Expected.Signature)
		}
	}
}

// The published vector is of the bare HMAC: a timestamp of nothing is not
// possible, so it is matched by independentHMAC, which every test server checks
// signatures with.
func TestIndependentHMAC(t *testing.T) {
	t.Parallel()
	for _, v := range signatureVectors(t, "hmac_base64") {
		if got := independentHMAC(v.Inputs.Secret, v.Inputs.Payload); got != v.Expected.Signature {
			t.Errorf("%s: got %s, want %s", v.ID, got, v.Expected.Signature)
		}
	}
}

// A v2 signature is not what we make of the same request.
func TestSignatureIsNotTheOldOne(t *testing.T) {
	t.Parallel()
	for _, v := range signatureVectors(t, "signature_rest_v2_legacy") {
		got := lnmarkets.Signature(vigia.NewSecret(v.Inputs.Secret), v.Inputs.Timestamp, v.Inputs.Method, v.Inputs.Path, "?status=running&limit=25")
		if got == v.Expected.Signature {
			t.Errorf("%s: signed like v2", v.ID)
		}
	}
}
