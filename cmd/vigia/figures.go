package main

import "strings"

// figure is one character, three rows high.
func figure(c rune) [3]string {
	switch c {
	case '0':
		return [3]string{"┏━┓", "┃ ┃", "┗━┛"}
	case '1':
		return [3]string{" ┓ ", " ┃ ", " ┻ "}
	case '2':
		return [3]string{"╺━┓", "┏━┛", "┗━╸"}
	case '3':
		return [3]string{"╺━┓", " ━┫", "╺━┛"}
	case '4':
		return [3]string{"╻ ╻", "┗━┫", "  ╹"}
	case '5':
		return [3]string{"┏━╸", "┗━┓", "╺━┛"}
	case '6':
		return [3]string{"┏━╸", "┣━┓", "┗━┛"}
	case '7':
		return [3]string{"╺━┓", "  ┃", "  ╹"}
	case '8':
		return [3]string{"┏━┓", "┣━┫", "┗━┛"}
	case '9':
		return [3]string{"┏━┓", "┗━┫", "╺━┛"}
	case '$':
		return [3]string{"┏╋╸", "┗╋┓", "╺╋┛"}
	case ',':
		return [3]string{" ", " ", "╹"}
	case '.':
		return [3]string{" ", " ", "▪"}
	}
	return [3]string{" ", string(c), " "}
}

// figures writes a price three rows high: the largest thing on the screen.
func figures(text string) [3]string {
	var rows [3]strings.Builder
	for i, c := range []rune(text) {
		for row, part := range figure(c) {
			if i > 0 {
				rows[row].WriteByte(' ')
			}
			rows[row].WriteString(part)
		}
	}
	return [3]string{strings.TrimRight(rows[0].String(), " "), strings.TrimRight(rows[1].String(), " "), strings.TrimRight(rows[2].String(), " ")}
}
