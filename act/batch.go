package act

import (
	"context"
	"errors"
)

// groupMost is how many share one commit.
const groupMost = 64

// ErrStopped says that the actor was told to stop before it took the work.
var ErrStopped = errors.New("the actor has stopped")

// batch commits what arrives while a commit is under way together with the next
// one. The first to arrive waits for nobody.
type batch[In, Out any] struct {
	commit func(context.Context, []In) ([]Out, []error, error)
	queue  chan item[In, Out]
	closed chan struct{}
}

type item[In, Out any] struct {
	in    In
	reply chan reply[Out]
}

type reply[Out any] struct {
	out Out
	err error
}

func newBatch[In, Out any](commit func(context.Context, []In) ([]Out, []error, error)) *batch[In, Out] {
	return &batch[In, Out]{commit: commit, queue: make(chan item[In, Out], groupMost), closed: make(chan struct{})}
}

// do hands one over and waits for its commit. Once taken it is waited for whatever
// ctx says: what was committed must be known.
func (b *batch[In, Out]) do(ctx context.Context, in In) (Out, error) {
	work := item[In, Out]{in: in, reply: make(chan reply[Out], 1)}
	var none Out
	select {
	case <-b.closed:
		return none, ErrStopped
	default:
	}
	select {
	case b.queue <- work:
	case <-b.closed:
		return none, ErrStopped
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
	select {
	case r := <-work.reply:
		return r.out, r.err
	case <-b.closed:
	}
	select {
	case r := <-work.reply:
		return r.out, r.err
	default:
		return none, ErrStopped
	}
}

// run commits groups until ctx ends and the queue is empty.
func (b *batch[In, Out]) run(ctx context.Context) {
	defer close(b.closed)
	commits := context.WithoutCancel(ctx)
	group := make([]item[In, Out], 0, groupMost)
	for {
		select {
		case first := <-b.queue:
			group = append(group[:0], first)
		case <-ctx.Done():
			select {
			case first := <-b.queue:
				group = append(group[:0], first)
			default:
				return
			}
		}
		group = b.gather(group)
		b.flush(commits, group)
		clear(group)
	}
}

func (b *batch[In, Out]) gather(group []item[In, Out]) []item[In, Out] {
	for len(group) < groupMost {
		select {
		case next := <-b.queue:
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

func (b *batch[In, Out]) flush(ctx context.Context, group []item[In, Out]) {
	in := make([]In, len(group))
	for i := range group {
		in[i] = group[i].in
	}
	out, errs, err := b.commit(ctx, in)
	for i := range group {
		r := reply[Out]{err: err}
		if err == nil && errs != nil {
			r.err = errs[i]
		}
		if r.err == nil {
			r.out = out[i]
		}
		group[i].reply <- r
	}
}
