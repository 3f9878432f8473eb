package vigia_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/vigiaguard/vigia"
	root   = "."
	all    = "*" // every room that is not closed
)

// room is one row of the import table: a folder, and those below it that have
// no row of their own.
type room struct {
	imports []string // rooms of ours that its files may import
	tests   []string // rooms that its _test.go files may import besides
	never   []string // parts of the standard library that would break its promise
	why     string   // said when an arrow is refused
	closed  string   // why nobody imports this room who does not name it
}

// house is the import table. Widening a row is a change of architecture: say
// why in the commit. The rules of depguard in .golangci.yml are written from
// it by `go test -run TestHouseLint . -house.update`.
var house = map[string]room{
	root: {
		never: []string{"database/sql", "net", "os", "syscall"},
		why:   "the vocabulary is plain data and arithmetic that everybody imports: standard library only, no I/O",
	},

	"run":      {imports: []string{root}, why: "it starts and stops things and knows no business word"},
	"web":      {imports: []string{root}, why: "it embeds the built pages and knows no business word"},
	"socketio": {imports: []string{root}, why: "it is a protocol and knows no business word"},

	"decide": {
		imports: []string{root},
		never:   []string{"context", "database/sql", "log", "net", "os", "syscall"},
		why:     "deciding is pure: it is handed facts, and must not know what fetched them or what acts on them",
	},
	"watch":     {imports: []string{root}, why: "it keeps what was seen; who reads the exchange and who decides is handed to it"},
	"act":       {imports: []string{root}, why: "it carries a decision out through interfaces of its own, so that every step can be tested with a working fake"},
	"lnmarkets": {imports: []string{root}, why: "it is an SDK that other programs import"},
	"record": {
		imports: []string{root, "record/sqlcgen"},
		tests:   []string{"record/recordtest"},
		why:     "it owns the rows and every transaction, and reaches the others as the small interfaces they declare",
	},
	"lease": {
		imports: []string{root},
		tests:   []string{"record/recordtest"}, // two processes on one store are its subject
		why:     "it says who may act; where the lease is kept is handed to it",
	},
	"queue":  {imports: []string{root}, why: "it moves jobs; what a job does is handed to it"},
	"notify": {imports: []string{root}, why: "it tells people and must never be in the guard's way"},
	"pay":    {imports: []string{root}, why: "it collects for plans and must never be in the guard's way"},
	"auth":   {imports: []string{root}, why: "it says who somebody is; rows and pages are handed to it"},
	"seal":   {imports: []string{root}, why: "it is the only room that returns a sealed secret in plain, and stays small enough to read"},
	"blob":   {imports: []string{root}, why: "it keeps bytes and does not know what they mean"},
	"report": {imports: []string{root}, why: "it lays out what it is handed"},
	"api":    {imports: []string{root}, why: "it asks and is answered through interfaces of its own; it never calls the exchange or the store by itself"},
	"live":   {imports: []string{root, "socketio"}, why: "it carries committed events to browsers and knows no rule"},

	"guard": {
		imports: []string{root, "watch", "decide", "act", "lease"},
		tests:   []string{"record", "record/recordtest", "paper"}, // fakes that work: the real record, and the exchange on paper
		why:     "it joins watch, decide, act and lease, and nothing that could slow them",
	},
	"paper":  {imports: []string{root, "lnmarkets"}, why: "it is an exchange: it speaks the wire and knows nothing of who guards on the other side"},
	"replay": {imports: []string{root, "decide", "paper"}, why: "it runs the rules on history and must not be able to trade"},

	"record/sqlcgen":    {why: "it is what sqlc made of the queries", closed: "it is generated for record alone"},
	"record/recordtest": {imports: []string{root, "record"}, why: "it opens stores for tests", closed: "it is test code"},
	"e2e":               {imports: []string{all, "record/recordtest"}, why: "it tests the product from outside", closed: "it is test code"},
	"bench":             {imports: []string{all, "record/recordtest"}, why: "it measures the product from outside", closed: "it is test code"},
	"cmd/vigia":         {imports: []string{all}, why: "it binds the product together", closed: "it binds everything and is imported by nothing"},
}

// roomOf finds the row that holds for a folder.
func roomOf(dir string) (string, bool) {
	if dir == root {
		return root, true
	}
	for ; dir != root; dir = path.Dir(dir) {
		if _, ok := house[dir]; ok {
			return dir, true
		}
	}
	return "", false
}

// refusal says why a file in one folder may not import another folder of ours,
// or nothing.
func refusal(from, to string, test bool) string {
	importer, ok := roomOf(from)
	if !ok {
		return from + " is not in the house: give it a row in house_test.go and a line in docs, or put the file where its noun or verb lives"
	}
	imported, ok := roomOf(to)
	if !ok {
		return to + " is not in the house"
	}
	row := house[importer]
	allowed := row.imports
	if test {
		allowed = slices.Concat(row.imports, row.tests)
	}
	open := slices.Contains(allowed, all) && house[imported].closed == ""
	if importer == imported || open || slices.Contains(allowed, imported) {
		return ""
	}
	if closed := house[imported].closed; closed != "" {
		return fmt.Sprintf("nothing imports %s: %s", imported, closed)
	}
	return fmt.Sprintf("%s may not import %s: %s; what it needs from there it declares as a small interface on types of the root", importer, imported, row.why)
}

// source is one parsed Go file of the module.
type source struct {
	path, dir string
	test      bool
	file      *ast.File
}

var (
	fileSet = token.NewFileSet()
	sources = sync.OnceValues(parseModule)
)

// parseModule reads every Go file of the module, whatever its build tags say,
// and none of other modules below it (the tools).
func parseModule() ([]source, error) {
	var found []source
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(name)
		if entry.IsDir() {
			return enter(slashed, entry.Name())
		}
		if !strings.HasSuffix(slashed, ".go") {
			return nil
		}
		file, err := parser.ParseFile(fileSet, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		found = append(found, source{slashed, path.Dir(slashed), strings.HasSuffix(slashed, "_test.go"), file})
		return nil
	})
	return found, err
}

// enter says whether a folder belongs to the module's packages.
func enter(dir, name string) error {
	if dir == root {
		return nil
	}
	_, err := os.Stat(filepath.Join(filepath.FromSlash(dir), "go.mod"))
	foreign := err == nil || slices.Contains([]string{"testdata", "node_modules", "vendor"}, name)
	if foreign || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return filepath.SkipDir
	}
	return nil
}

func moduleSources(t *testing.T) []source {
	t.Helper()
	found, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("no Go file was found")
	}
	return found
}

func importsOf(file *ast.File) []string {
	var paths []string
	for _, spec := range file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// ours turns an import path into a folder of this module.
func ours(imported string) (string, bool) {
	if imported == module {
		return root, true
	}
	return strings.CutPrefix(imported, module+"/")
}

func under(imported, part string) bool {
	return imported == part || strings.HasPrefix(imported, part+"/")
}

// faults lists what the table has against one file of the product or its tests.
func faults(dir string, test bool, imports []string) []string {
	var found []string
	if _, ok := roomOf(dir); !ok {
		found = append(found, refusal(dir, root, test))
	}
	for _, imported := range imports {
		if to, ok := ours(imported); ok {
			if reason := refusal(dir, to, test); reason != "" {
				found = append(found, reason)
			}
			continue
		}
		if test {
			continue
		}
		if first, _, _ := strings.Cut(imported, "/"); dir == root && strings.Contains(first, ".") {
			found = append(found, fmt.Sprintf("the root imports %s: %s", imported, house[root].why))
		}
		name, _ := roomOf(dir)
		for _, part := range house[name].never {
			if under(imported, part) {
				found = append(found, fmt.Sprintf("%s may not import %s: %s", name, imported, house[name].why))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestHouseImports(t *testing.T) {
	for _, src := range moduleSources(t) {
		for _, fault := range faults(src.dir, src.test, importsOf(src.file)) {
			t.Errorf("%s: %s", src.path, fault)
		}
	}
}

func TestHouseTable(t *testing.T) {
	for _, c := range []struct {
		dir     string
		test    bool
		imports string
		want    string // part of the message; nothing: allowed
	}{
		{root, false, "log/slog", ""},
		{root, false, "net/http", "no I/O"},
		{root, false, "golang.org/x/time/rate", "standard library only"},
		{root, true, "pgregory.net/rapid", ""},
		{root, true, module, ""},
		{root, true, module + "/decide", "vocabulary"},
		{"decide", false, module, ""},
		{"decide", false, "context", "pure"},
		{"decide", false, "os/exec", "pure"},
		{"decide", false, module + "/lnmarkets", "pure"},
		{"decide", true, module + "/record", "pure"},
		{"guard", false, module + "/decide", ""},
		{"guard", false, module + "/api", "nothing that could slow"},
		{"guard", false, module + "/record", "nothing that could slow"},
		{"guard", true, module + "/record", ""},
		{"guard", true, module + "/paper", ""},
		{"api", false, module + "/record", "small interface"},
		{"live", false, module + "/socketio", ""},
		{"notify", false, module + "/socketio", "small interface"},
		{"paper", false, module + "/lnmarkets", ""},
		{"replay", false, module + "/lnmarkets", "must not be able to trade"},
		{"record/query", false, module + "/record", ""},
		{"record", false, module + "/record/recordtest", "test code"},
		{"record", true, module + "/record/recordtest", ""},
		{"act", true, module + "/record/recordtest", "test code"},
		{"cmd/vigia", false, module + "/api", ""},
		{"cmd/vigia", false, module + "/record/recordtest", "test code"},
		{"e2e", true, module + "/paper", ""},
		{"e2e", true, module + "/record/recordtest", ""},
		{"e2e", true, module + "/cmd/vigia/config", "imported by nothing"},
		{"bench", false, module + "/e2e", "test code"},
		{"cmd/other", false, "fmt", "not in the house"},
		{"utils", false, "fmt", "not in the house"},
		{"api", false, module + "/utils", "not in the house"},
	} {
		got := strings.Join(faults(c.dir, c.test, []string{c.imports}), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s (test: %t) imports %s: got %q, want %q", c.dir, c.test, c.imports, got, c.want)
		}
	}
}

// A package says once what it promises. Folders of tests only may say it in a
// test file.
func TestHousePackageComments(t *testing.T) {
	type pkg struct{ dir, name string }
	product, tests := map[pkg][]string{}, map[pkg][]string{}
	for _, src := range moduleSources(t) {
		key, into := pkg{src.dir, src.file.Name.Name}, product
		if src.test {
			key.name, into = strings.TrimSuffix(key.name, "_test"), tests
		}
		comments := into[key] // present even when the file has none
		if doc := src.file.Doc.Text(); doc != "" {
			comments = append(comments, src.path)
			if key.name != "main" && !strings.HasPrefix(doc, "Package "+key.name+" ") {
				t.Errorf("%s: the package comment starts with %q", src.path, "Package "+key.name)
			}
		}
		into[key] = comments
	}
	for key, comments := range tests {
		if _, ok := product[key]; !ok {
			product[key] = comments
		} else if len(comments) > 0 {
			t.Errorf("%v: the package comment belongs in a file of the product", comments)
		}
	}
	for key, comments := range product {
		if len(comments) != 1 {
			t.Errorf("package %s in %s has %d package comments, wants exactly one %v", key.name, key.dir, len(comments), comments)
		}
	}
}

// A revealed secret never goes through something that formats: it would end in
// a log or an error. It is joined with + where a request is built.
func TestHouseSecrets(t *testing.T) {
	for _, src := range moduleSources(t) {
		if src.test {
			continue
		}
		for _, at := range revealedInFormat(src.file) {
			t.Errorf("%s: a revealed secret is handed to something that prints; build the text with + where it is sent, and log that there was a secret, not which", fileSet.Position(at))
		}
	}
}

func TestHouseSecretsAreFound(t *testing.T) {
	const text = `package p
func f() {
	fmt.Printf("%s", key.Reveal())
	log.Info("signed", "with", sign(a, key.Secret.Reveal()))
	errors.New("refused " + key.Reveal())
	header.Set("Authorization", "Bearer "+token.Reveal())
}`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(revealedInFormat(file)); got != 3 {
		t.Errorf("found %d revealed secrets in formatting calls, want 3", got)
	}
}

// revealedInFormat finds calls of Reveal among the arguments of calls that
// format, log or make errors.
func revealedInFormat(file *ast.File) []token.Pos {
	var found []token.Pos
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !formats(call) {
			return true
		}
		for _, arg := range call.Args {
			ast.Inspect(arg, func(n ast.Node) bool {
				if selector, ok := n.(*ast.SelectorExpr); ok && selector.Sel.Name == "Reveal" {
					found = append(found, selector.Sel.Pos())
				}
				return true
			})
		}
		return false
	})
	return found
}

// formats says whether a call prints, logs or makes an error, by its name.
func formats(call *ast.CallExpr) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if of, ok := selector.X.(*ast.Ident); ok && slices.Contains([]string{"fmt", "log", "slog", "errors"}, of.Name) {
		return true
	}
	name := strings.TrimSuffix(strings.TrimSuffix(selector.Sel.Name, "Context"), "f")
	return slices.Contains([]string{"Debug", "Info", "Warn", "Error", "Fatal", "Panic", "Print", "Println", "Log", "LogAttrs"}, name)
}

var update = flag.Bool("house.update", false, "write the import table's rules into .golangci.yml")

// The linter holds the same table, so that an editor shows an arrow while it
// is being drawn.
func TestHouseLint(t *testing.T) {
	const begin, end = "        # house: begin\n", "        # house: end\n"
	config, err := os.ReadFile(".golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(config), begin)
	_, after, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("the marks %q and %q are missing", begin, end)
	}
	want := before + begin + lintRules() + end + after
	if want == string(config) {
		return
	}
	if !*update {
		t.Fatal("the rules of depguard are not those of the table: run go test -run TestHouseLint . -house.update")
	}
	if err := os.WriteFile(".golangci.yml", []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lintRules writes one rule of depguard for each room.
func lintRules() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(house)) {
		row := house[name]
		fmt.Fprintf(&b, "        %s:\n          list-mode: lax\n", ruleName(name))
		fmt.Fprintf(&b, "          files: [%s]\n", strings.Join(globs(name), ", "))
		if slices.Contains(row.imports, all) {
			b.WriteString("          deny:\n")
			for _, other := range slices.Sorted(maps.Keys(house)) {
				if closed := house[other].closed; closed != "" && other != name && !slices.Contains(row.imports, other) {
					fmt.Fprintf(&b, "            - {pkg: %s, desc: %q}\n", path.Join(module, other), closed)
				}
			}
			continue
		}
		allowed := []string{module + "$"}
		for _, other := range slices.Concat([]string{name}, row.imports, row.tests) {
			if other != root {
				allowed = append(allowed, path.Join(module, other))
			}
		}
		fmt.Fprintf(&b, "          allow: [%s]\n          deny:\n", strings.Join(allowed, ", "))
		fmt.Fprintf(&b, "            - {pkg: %s, desc: %q}\n", module, row.why)
	}
	return b.String()
}

func ruleName(name string) string {
	if name == root {
		return "root"
	}
	return strings.ReplaceAll(name, "/", "-")
}

// globs are the files of a room: those of the rooms below it have rules of
// their own.
func globs(name string) []string {
	if name == root {
		return []string{`"${config-path}/*.go"`}
	}
	files := []string{fmt.Sprintf(`"${config-path}/%s/**"`, name)}
	for other := range house {
		if other != name && under(other, name) {
			files = append(files, fmt.Sprintf(`"!${config-path}/%s/**"`, other))
		}
	}
	slices.Sort(files[1:])
	return files
}
