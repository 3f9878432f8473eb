package paper

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vigiaguard/vigia"
)

// Point is a price at a market time.
type Point struct {
	Price vigia.Price
	At    time.Time
}

// Source gives the points of a market, one after the other, times never going
// back. Next answers io.EOF after the last; any other error ends the source as
// well. A source belongs to one goroutine unless it says otherwise.
type Source interface {
	Next() (Point, error)
}

// Points is a [Source] of points written down beforehand.
func Points(points ...Point) Source { return &listed{points: points} }

type listed struct{ points []Point }

func (l *listed) Next() (Point, error) {
	if len(l.points) == 0 {
		return Point{}, io.EOF
	}
	p := l.points[0]
	l.points = l.points[1:]
	return p, nil
}

// HalfDollars walks from point to point of another source in steps of half a
// dollar, the times spread evenly: no level between two points is jumped over.
func HalfDollars(points Source) Source { return &walker{points: points} }

type walker struct {
	points   Source
	from, to Point
	// steps lie between from and to, taken have been given.
	steps, taken int64
}

func (w *walker) Next() (Point, error) {
	for w.taken == w.steps {
		next, err := w.points.Next()
		if err != nil {
			return Point{}, err
		}
		w.from, w.to, w.taken = w.to, next, 0
		if w.from.Price == 0 { // the first
			w.from = next
		}
		w.steps = max(1, int64(max(w.to.Price-w.from.Price, w.from.Price-w.to.Price)))
	}
	w.taken++
	if w.taken == w.steps {
		return w.to, nil
	}
	way := vigia.Price(1)
	if w.to.Price < w.from.Price {
		way = -1
	}
	span := w.to.At.Sub(w.from.At)
	return Point{
		Price: w.from.Price + way*vigia.Price(w.taken),
		At:    w.from.At.Add(span / time.Duration(w.steps) * time.Duration(w.taken)),
	}, nil
}

// Play ticks an engine through a source to its end, calling after, when it is
// not nil, once each tick has happened: lock-step, as fast as it goes.
func Play(e *Engine, points Source, after func(Point) error) error {
	for {
		p, err := points.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the next price: %w", err)
		}
		if err := e.Tick(p.Price, p.At); err != nil {
			return err
		}
		if after == nil {
			continue
		}
		if err := after(p); err != nil {
			return err
		}
	}
}
