package main

import (
	"fmt"
	"strings"

	"github.com/vigiaguard/vigia"
)

// only is the one thing of a list whose name is given, whose id is, or whose id
// begins or ends so.
func only[T any](kind, given string, all []T, idAndName func(*T) (id, name string)) (T, error) {
	var none T
	var found []int
	for i := range all {
		id, name := idAndName(&all[i])
		if id == given {
			return all[i], nil
		}
		if name != "" && name == given || len(given) >= 4 && (strings.HasPrefix(id, given) || strings.HasSuffix(id, given)) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 1:
		return all[found[0]], nil
	case 0:
		return none, &vigia.Error{Code: vigia.CodeNotFound, Field: kind, Message: fmt.Sprintf("there is no %s %q", kind, given),
			Help: "vigia " + kind + " list shows what there is."}
	}
	return none, vigia.Invalid(kind, fmt.Sprintf("%q fits %d of them; give the whole id", given, len(found)))
}
