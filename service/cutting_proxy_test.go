package service_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// cut is the place where the proxy resets the connection to the gateway.
type cut struct {
	where   place
	bytes   int // of the request that are passed on
	portion int // tenths of the response that are passed on
}

type place int

const (
	nowhere        place = iota
	afterTheRead         // when the gateway has the response to its first read, and the connection is idle
	inTheRequest         // of the write
	inTheResponse        // to the write
	numberOfPlaces       // the length of placeNames
)

var placeNames = [numberOfPlaces]string{"nowhere", "after the read", "in the request", "in the response"}

func (c cut) String() string {
	return fmt.Sprintf("%s, after %d bytes, %d/10", placeNames[c.where], c.bytes, c.portion)
}

// cuttingProxy passes bytes on between the gateway and the store, and resets the gateway's connection at the place that is
// planned for the customer.
type cuttingProxy struct {
	listener net.Listener
	store    string // its address
	serving  sync.WaitGroup

	mu            sync.Mutex
	cuts          map[int64]cut
	reads         map[int64]int
	writes        map[int64]int // how many writes the gateway has begun to send
	requestLength int           // the length of the latest write that was passed on completely
}

// newCuttingProxy listens until the test ends.
func newCuttingProxy(t testing.TB, store string) *cuttingProxy {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &cuttingProxy{listener: listener, store: store, cuts: map[int64]cut{}, reads: map[int64]int{}, writes: map[int64]int{}}
	p.serving.Go(func() {
		for {
			gateway, err := listener.Accept()
			if err != nil {
				return
			}
			p.serving.Go(func() {
				if err := p.serve(t.Context(), gateway.(*net.TCPConn)); err != nil {
					t.Errorf("proxy: %v", err)
				}
			})
		}
	})
	t.Cleanup(p.close)
	return p
}

// close waits until the gateways have closed their connections.
func (p *cuttingProxy) close() {
	_ = p.listener.Close() // it may be closed already
	p.serving.Wait()
}

// serve passes on one request after another. The gateway never sends the next one before it has the response.
func (p *cuttingProxy) serve(ctx context.Context, gateway *net.TCPConn) error {
	defer gateway.Close() //nolint:errcheck // it may be reset already
	store, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.store)
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // the proxy does not use it any more
	fromGateway, fromStore := bufio.NewReader(gateway), bufio.NewReader(store)
	for {
		const prefix = len("GET /wp-json/fluent-cart/v2/customers/1001")
		head, err := fromGateway.Peek(prefix)
		if err != nil {
			return nil // the gateway has closed the connection
		}
		method, target, _ := strings.Cut(string(head), " ")
		customer, err := strconv.ParseInt(path.Base(target), 10, 64)
		if err != nil {
			return err
		}
		c := p.countRequest(method, customer)
		if c.where == inTheRequest {
			if _, err := io.CopyN(store, fromGateway, int64(c.bytes)); err != nil {
				return err
			}
			if err := reset(gateway); err != nil {
				return err
			}
			if c.bytes == p.length() { // the store has the complete request, so the connection stays open until it has responded
				_, err = readResponse(fromStore, nil)
			}
			return err
		}
		request, raw, err := readRequest(fromGateway)
		if err != nil {
			return err
		}
		if method == http.MethodPut {
			p.setLength(len(raw))
		}
		if _, err := store.Write(raw); err != nil {
			return err
		}
		response, err := readResponse(fromStore, request)
		if err != nil {
			return err
		}
		if c.where == inTheResponse {
			response = response[:len(response)*c.portion/10]
		}
		if _, err := gateway.Write(response); err != nil {
			return nil // the gateway may close the connection before it has the response
		}
		if c.where != nowhere {
			return reset(gateway)
		}
	}
}

// countRequest counts a request, and returns where its connection is cut.
func (p *cuttingProxy) countRequest(method string, customer int64) cut {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.cuts[customer]
	if method == http.MethodPut {
		p.writes[customer]++
		if c.where != afterTheRead {
			return c
		}
		return cut{}
	}
	p.reads[customer]++
	if p.reads[customer] == 1 && c.where == afterTheRead {
		return c
	}
	return cut{}
}

func (p *cuttingProxy) setLength(length int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requestLength = length
}

func (p *cuttingProxy) length() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requestLength
}

func (p *cuttingProxy) plan(customer int64, c cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts[customer] = c
}

func (p *cuttingProxy) writesOf(customer int64) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.writes[customer]
}

// reset closes a connection with a RST.
func reset(conn *net.TCPConn) error {
	return errors.Join(conn.SetLinger(0), conn.Close())
}

// readRequest reads a complete request, and returns it and its bytes.
func readRequest(from io.Reader) (*http.Request, []byte, error) {
	var raw bytes.Buffer
	request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(from, &raw)))
	if err != nil {
		return nil, nil, err
	}
	_, err = io.Copy(io.Discard, request.Body)
	return request, raw.Bytes(), err
}

// readResponse reads a complete response, and returns its bytes.
func readResponse(from io.Reader, to *http.Request) ([]byte, error) {
	var raw bytes.Buffer
	response, err := http.ReadResponse(bufio.NewReader(io.TeeReader(from, &raw)), to)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return raw.Bytes(), err
}
