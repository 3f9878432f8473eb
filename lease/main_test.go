package lease

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/record/recordtest"
)

func TestMain(m *testing.M) {
	code := recordtest.Main(m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			code = 1
		}
	}
	os.Exit(code)
}

var errDown = errors.New("the store is down")

// shelf is a store in memory that can be down.
type shelf struct {
	mu     sync.Mutex
	leases [vigia.Shards]vigia.ShardLease
	down   bool
}

func newShelf() *shelf {
	s := &shelf{}
	for i := range s.leases {
		s.leases[i].Shard = i
	}
	return s
}

func (s *shelf) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *shelf) Leases(context.Context) ([]vigia.ShardLease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, errDown
	}
	return append([]vigia.ShardLease(nil), s.leases[:]...), nil
}

func (s *shelf) Take(_ context.Context, holder string, seen vigia.Fence) (vigia.Fence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.leases[seen.Shard]
	if s.down {
		return vigia.Fence{}, errDown
	}
	if l.Epoch != seen.Epoch {
		return vigia.Fence{}, vigia.ErrChanged
	}
	l.Holder, l.Epoch, l.Beat = holder, l.Epoch+1, l.Beat+1
	return l.Fence, nil
}

func (s *shelf) Beat(_ context.Context, holder string) ([]vigia.Fence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, errDown
	}
	var mine []vigia.Fence
	for i := range s.leases {
		if s.leases[i].Holder == holder {
			s.leases[i].Beat++
			mine = append(mine, s.leases[i].Fence)
		}
	}
	return mine, nil
}

func (s *shelf) Release(_ context.Context, fence vigia.Fence) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errDown
	}
	if l := &s.leases[fence.Shard]; l.Epoch == fence.Epoch {
		l.Holder, l.Epoch = "", l.Epoch+1
	}
	return nil
}
