package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/vigiaguard/vigia"
)

// settings answers kong for the flags that were not given: VIGIA_NAME_FILE for
// secrets, VIGIA_NAME, then the key of the YAML file. What it does not know is an
// error that names the nearest it does.
type settings struct {
	environ []string
	file    map[string]any
	path    string
}

const prefix = "VIGIA_"

// notSettings are variables that belong to the tests, not to a command.
const testPrefix = prefix + "TEST_"

// Validate is called once the flags are known: it reads the file and refuses keys
// and variables that nothing takes.
func (s *settings) Validate(app *kong.Application) error {
	known := map[string]bool{"config": true}
	collect(app.Node, known)
	for _, entry := range s.environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix) || strings.HasPrefix(name, testPrefix) {
			continue
		}
		flag := flagName(strings.TrimSuffix(strings.TrimPrefix(name, prefix), "_FILE"))
		if !known[flag] && !known[flagName(strings.TrimPrefix(name, prefix))] {
			return vigia.Invalid(name, "there is no such setting"+didYouMean(variable(flag), variables(known)))
		}
	}
	return nil
}

func collect(node *kong.Node, known map[string]bool) {
	for _, flag := range node.Flags {
		known[flag.Name] = true
	}
	for _, child := range node.Children {
		collect(child, known)
	}
}

// Resolve answers for one flag.
func (s *settings) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if flag.Name == "help" {
		return nil, nil
	}
	name := variable(flag.Name)
	if path, ok := s.lookup(name + "_FILE"); ok {
		if !flag.Tag.Has("secret") {
			return nil, vigia.Invalid(name+"_FILE", fmt.Sprintf("only secrets come from files; set %s", name))
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, vigia.Invalid(name+"_FILE", fmt.Sprintf("the file cannot be read: %v", errors.Unwrap(err)))
		}
		return strings.TrimRight(string(content), "\r\n"), nil
	}
	if value, ok := s.lookup(name); ok {
		return value, nil
	}
	if flag.Name == "config" {
		return nil, nil
	}
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	if value, ok := s.file[flag.Name]; ok {
		return fmt.Sprint(value), nil
	}
	return nil, nil
}

func (s *settings) lookup(name string) (string, bool) {
	i := slices.IndexFunc(s.environ, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
	if i < 0 {
		return "", false
	}
	return s.environ[i][len(name)+1:], true
}

// read reads the YAML file once: the one that --config or VIGIA_CONFIG names.
func (s *settings) read(ctx *kong.Context) error {
	path, _ := s.lookup(prefix + "CONFIG")
	for _, flag := range ctx.Flags() {
		if given, ok := ctx.FlagValue(flag).(string); ok && flag.Name == "config" && given != "" {
			path = given
		}
	}
	if path == s.path {
		return nil
	}
	s.path, s.file = path, map[string]any{}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return vigia.Invalid("config", fmt.Sprintf("there is no file %s", path))
	}
	if err != nil {
		return vigia.Invalid("config", fmt.Sprintf("%s cannot be read: %v", path, errors.Unwrap(err)))
	}
	raw := map[string]any{}
	if err := yaml.Unmarshal(content, &raw); err != nil {
		return vigia.Invalid("config", fmt.Sprintf("%s is not YAML: %v", path, err))
	}
	known := map[string]bool{}
	collect(ctx.Model.Node, known)
	for key, value := range raw {
		flag := flagName(key)
		if !known[flag] {
			return vigia.Invalid("config", fmt.Sprintf("%s has the unknown key %q%s", path, key, didYouMean(flag, known)))
		}
		s.file[flag] = value
	}
	return nil
}

func flagName(key string) string { return strings.ReplaceAll(strings.ToLower(key), "_", "-") }

func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func variables(known map[string]bool) map[string]bool {
	out := map[string]bool{}
	for flag := range known {
		out[variable(flag)] = true
	}
	return out
}

// didYouMean names the nearest known key, when one is near.
func didYouMean(key string, known map[string]bool) string {
	best, distance := "", len(key)/2+1
	for name := range known {
		if d := editDistance(key, name); d < distance || d == distance && name < best {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
