package extproc

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// guard ends a test in which somebody waits for ever.
const guard = 20 * time.Second

// pair connects a plain client with a server's connection of a Direct listener.
func pair(t testing.TB, network string) (client, server net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "sock")
	}
	inner, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	l := Direct(inner)
	defer l.Close()
	if client, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return client, server
}

// onBoth runs a test on both kinds of socket.
func onBoth(t *testing.T, f func(t *testing.T, client, server net.Conn)) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			client, server := pair(t, network)
			deadline := time.Now().Add(guard)
			client.SetDeadline(deadline)
			server.SetDeadline(deadline)
			f(t, client, server)
		})
	}
}

// narrow makes a Unix socket take little at a time. (TCP with so small a window
// waits for its timers.)
func narrow(t *testing.T, conns ...net.Conn) {
	t.Helper()
	for _, c := range conns {
		if c.LocalAddr().Network() != "unix" {
			continue
		}
		raw, err := c.(syscall.Conn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		err = raw.Control(func(fd uintptr) {
			if err := syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 4096); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// pour writes n bytes in pieces of 1 byte to 100 KB and returns their sum.
func pour(w io.Writer, n int, seed uint64) ([]byte, error) {
	chance := rand.New(rand.NewPCG(seed, 1))
	noise := rand.NewChaCha8([32]byte{byte(seed)})
	sum := sha256.New()
	for n > 0 {
		size := 1 + chance.IntN(100)
		if chance.IntN(4) == 0 {
			size = 1 + chance.IntN(100_000)
		}
		p := make([]byte, min(size, n))
		noise.Read(p)
		sum.Write(p)
		wrote, err := w.Write(p)
		if err != nil || wrote != len(p) {
			return nil, fmt.Errorf("wrote %d of %d: %w", wrote, len(p), err)
		}
		n -= wrote
	}
	return sum.Sum(nil), nil
}

// drink reads n bytes in pieces and returns their sum.
func drink(r io.Reader, n int, seed uint64) ([]byte, error) {
	chance := rand.New(rand.NewPCG(seed, 2))
	sum := sha256.New()
	p := make([]byte, 64<<10)
	for n > 0 {
		got, err := r.Read(p[:min(n, 1+chance.IntN(len(p)))])
		sum.Write(p[:got])
		if n -= got; err != nil {
			return nil, fmt.Errorf("%d bytes are missing: %w", n, err)
		}
	}
	return sum.Sum(nil), nil
}

// TestDirectCarriesEverything has many connections at once write both ways,
// in pieces of any size, into buffers that are always full or empty.
func TestDirectCarriesEverything(t *testing.T) {
	const conns, size = 24, 1 << 20
	var all sync.WaitGroup
	for i := range uint64(conns) {
		client, server := pair(t, []string{"unix", "tcp"}[i%2])
		if i%3 == 0 {
			narrow(t, client, server)
		}
		client.SetDeadline(time.Now().Add(2 * guard))
		server.SetDeadline(time.Now().Add(2 * guard))
		for way, ends := range [][2]net.Conn{{client, server}, {server, client}} {
			all.Go(func() {
				seed := 2*i + uint64(way)
				sent := make(chan []byte, 1)
				go func() {
					sum, err := pour(ends[0], size, seed)
					if err != nil {
						t.Error(err)
					}
					sent <- sum
				}()
				got, err := drink(ends[1], size, seed)
				if err != nil {
					t.Error(err)
				}
				if want := <-sent; !bytes.Equal(got, want) {
					t.Errorf("connection %d, way %d: other bytes have come than were sent", i, way)
				}
			})
		}
	}
	all.Wait()
}

// TestDirectWritesTakeTurns: what callers at the same time write stays whole.
func TestDirectWritesTakeTurns(t *testing.T) {
	onBoth(t, func(t *testing.T, client, server net.Conn) {
		const writers, each, size = 8, 50, 10_000
		narrow(t, client, server)
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for range each {
					if n, err := server.Write(bytes.Repeat([]byte{byte(w)}, size)); n != size || err != nil {
						t.Errorf("wrote %d: %v", n, err)
					}
				}
			})
		}
		p := make([]byte, size)
		for range writers * each {
			if _, err := io.ReadFull(client, p); err != nil {
				t.Fatal(err)
			}
			if bytes.Count(p, p[:1]) != size {
				t.Fatal("two writes are mixed")
			}
		}
		all.Wait()
	})
}

func TestDirectWriteWaitsForRoom(t *testing.T) {
	onBoth(t, func(t *testing.T, client, server net.Conn) {
		const size = 8 << 20 // beyond what any socket buffers
		wrote := make(chan error, 1)
		go func() {
			n, err := server.Write(make([]byte, size))
			if err == nil && n != size {
				err = io.ErrShortWrite
			}
			wrote <- err
		}()
		select {
		case err := <-wrote:
			t.Fatalf("nobody has read, and the write is over: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
		if n, err := io.CopyN(io.Discard, client, size); err != nil {
			t.Fatalf("read %d: %v", n, err)
		}
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
	})
}

// TestDirectCloseWakes closes a connection under a read and a write that wait.
func TestDirectCloseWakes(t *testing.T) {
	onBoth(t, func(t *testing.T, client, server net.Conn) {
		over := make(chan error, 3)
		for range 2 { // the second waits for the first
			go func() { _, err := server.Read(make([]byte, 1)); over <- err }()
		}
		go func() { _, err := server.Write(make([]byte, 64<<20)); over <- err }()
		time.Sleep(50 * time.Millisecond)
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		for range cap(over) {
			if err := <-over; !errors.Is(err, net.ErrClosed) {
				t.Errorf("the end was %v, want %v", err, net.ErrClosed)
			}
		}
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading after Close: %v", err)
		}
		if _, err := server.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing after Close: %v", err)
		}
	})
}

func TestDirectDeadlines(t *testing.T) {
	onBoth(t, func(t *testing.T, client, server net.Conn) {
		timely := func(what string, err error) {
			t.Helper()
			var e net.Error
			if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &e) || !e.Timeout() {
				t.Errorf("%s: %v, want a time-out", what, err)
			}
		}
		server.SetReadDeadline(time.Now().Add(-time.Second))
		_, err := server.Read(make([]byte, 1))
		timely("a read too late", err)
		server.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, err = server.Read(make([]byte, 1))
		timely("a read that waits", err)

		server.SetReadDeadline(time.Time{})
		waits := make(chan error, 1)
		go func() { _, err := server.Read(make([]byte, 1)); waits <- err }()
		time.Sleep(10 * time.Millisecond)
		server.SetReadDeadline(time.Now()) // set while it waits
		timely("a read whose deadline is moved", <-waits)

		large := make([]byte, 64<<20)
		server.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := server.Write(large)
		timely("a write that waits", err)
		if n == 0 || n == len(large) {
			t.Errorf("wrote %d before the deadline: that is no part", n)
		}
		server.SetDeadline(time.Now().Add(guard))
		go client.Write([]byte("x"))
		if _, err := server.Read(make([]byte, 1)); err != nil {
			t.Errorf("with a new deadline: %v", err)
		}
	})
}

// TestDirectEnds: the peer's end of writing is ours of reading, and no more.
func TestDirectEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, client, server net.Conn) {
		if n, err := server.Read(nil); n != 0 || err != nil {
			t.Errorf("reading nothing: %d, %v", n, err)
		}
		if n, err := server.Write(nil); n != 0 || err != nil {
			t.Errorf("writing nothing: %d, %v", n, err)
		}
		if _, err := client.Write([]byte("last")); err != nil {
			t.Fatal(err)
		}
		if err := client.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if all, err := io.ReadAll(server); string(all) != "last" || err != nil {
			t.Fatalf("read %q, %v", all, err)
		}
		for range 2 {
			if n, err := server.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Fatalf("after the end: %d, %v", n, err)
			}
		}
		if _, err := server.Write([]byte("answer")); err != nil {
			t.Fatalf("the other half: %v", err)
		}
		server.Close()
		if all, err := io.ReadAll(client); string(all) != "answer" || err != nil {
			t.Fatalf("the peer read %q, %v", all, err)
		}
	})
}

// TestDirectPeerGone: an error is the one that net would give.
func TestDirectPeerGone(t *testing.T) {
	onBoth(t, func(t *testing.T, client, server net.Conn) {
		client.Close()
		var err error
		for range 1000 { // TCP learns of it from the answer to the first
			if _, err = server.Write([]byte("x")); err != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "write" || op.Net != server.LocalAddr().Network() {
			t.Fatalf("writing to nobody: %#v", err)
		}
		if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("writing to nobody: %v", err)
		}
	})
}

// TestDirectManyCome and go, while the listener stays.
func TestDirectManyCome(t *testing.T) {
	inner, err := net.Listen("unix", filepath.Join(t.TempDir(), "sock"))
	if err != nil {
		t.Fatal(err)
	}
	l := Direct(inner)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); io.Copy(struct{ io.Writer }{conn}, struct{ io.Reader }{conn}) }()
		}
	}()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 50 {
				conn, err := net.Dial("unix", l.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				conn.SetDeadline(time.Now().Add(guard))
				fmt.Fprint(conn, "hello")
				var p [5]byte
				if _, err := io.ReadFull(conn, p[:]); err != nil || string(p[:]) != "hello" {
					t.Errorf("%q came back: %v", p, err)
				}
				conn.Close()
			}
		})
	}
	all.Wait()
	for range 2 { // as often as one likes
		l.Close()
	}
	<-served
}

func TestDirectAllocatesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, client, server net.Conn) {
		p, q := make([]byte, 512), make([]byte, 512)
		if n := testing.AllocsPerRun(100, func() {
			client.Write(p)
			io.ReadFull(server, q)
			server.Write(q)
			io.ReadFull(client, p)
		}); n != 0 && !raceEnabled { // whose calls are others
			t.Errorf("a round trip allocates %g times", n)
		}
	})
}
