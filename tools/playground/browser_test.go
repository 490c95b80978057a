package playground

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a page in a headless Chromium.
type browser struct {
	ctx context.Context //nolint:containedctx // chromedp's context is the page

	mu       sync.Mutex
	problems []string // what the console shows, and requests to other origins
}

// size is the size of a window, in CSS pixels.
type size struct {
	name          string
	width, height int64
}

var (
	phone   = size{"phone", 390, 844}
	desktop = size{"desktop", 1280, 900}
)

// chromium is the one process of the browser, which the first test starts and stopChromium ends.
var (
	chromium     context.Context
	stopChromium = func() {}
)

func TestMain(m *testing.M) {
	code := m.Run()
	stopChromium()
	os.Exit(code) //nolint:forbidigo // the main function of the tests
}

// start starts the browser, unless it runs.
func start(t *testing.T) {
	t.Helper()
	if chromium != nil {
		return
	}
	program, err := exec.LookPath("chromium")
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	chromium, stopChromium = chromedp.NewContext(context.Background(), //nolint:fatcontext // it outlives the test that needs it first
		// A container has neither the name spaces of Chromium's own sandbox nor a large /dev/shm.
		chromedp.WithAllocatorOptions(chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true)))
	if err := chromedp.Do(chromium); err != nil {
		t.Fatal(err)
	}
}

// open opens a page of the gateway at base in a window that shares no cookies, storage or cache with others. Anything but
// requests to base is a problem.
func open(t *testing.T, base, path string, window size, scheme string) *browser {
	t.Helper()
	start(t)
	ctx, stop := context.WithTimeout(chromium, time.Minute)
	t.Cleanup(stop)
	b := &browser{}
	ctx, closePage := chromedp.NewContext(ctx, chromedp.WithListener(func(event any) { b.watch(event, base) }), chromedp.WithNewBrowserContext())
	t.Cleanup(closePage)
	b.ctx = ctx
	b.do(t, chromedp.EmulateViewport(window.width, window.height))
	feature := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{feature}}); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.Navigate(base+path), chromedp.WaitVisible(chromedp.CSS(".opblock")))
	return b
}

func (b *browser) watch(event any, base string) {
	problem := ""
	switch event := event.(type) {
	case *log.EventEntryAdded:
		if event.Entry.Source == log.EntrySourceNetwork && strings.Contains(event.Entry.URL, "/customers/") {
			return // the browser reports each error status of a call
		}
		if event.Entry.Level == log.EntryLevelVerbose {
			return // advice, such as attributes for managers of passwords
		}
		problem = fmt.Sprintf("log: %s: %s %s", event.Entry.Level, event.Entry.Text, event.Entry.URL)
	case *runtime.EventConsoleAPICalled:
		problem = fmt.Sprintf("console: %s: %s", event.Type, event.Args[0].Value)
	case *runtime.EventExceptionThrown:
		problem = "exception: " + event.ExceptionDetails.Text
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(event.Request.URL, base+"/") && !strings.HasPrefix(event.Request.URL, "data:") {
			problem = "request to " + event.Request.URL
		}
	}
	if problem != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.problems = append(b.problems, problem)
	}
}

// checkQuiet reports what the console has shown, and requests to other origins.
func (b *browser) checkQuiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, problem := range b.problems {
		t.Error(problem)
	}
}

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// get runs an action that has a result.
func get[T any](t *testing.T, b *browser, action chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// call is a call of the page, by its operationId.
type call string

func (c call) in(selector string) chromedp.CSS {
	return chromedp.CSS("#operations-customers-" + string(c) + " " + selector)
}

// unfold shows the form of a call.
func (b *browser) unfold(t *testing.T, c call) {
	t.Helper()
	b.do(t, chromedp.Click(c.in(".opblock-summary-control")), chromedp.WaitVisible(c.in(".execute")))
}

// execute sends a call, and returns the status and the body of the response that the page shows.
func (b *browser) execute(t *testing.T, c call) (status, body string) {
	t.Helper()
	b.script(t, "document.querySelectorAll('.btn-clear').forEach(button => button.click())") // the last response
	b.do(t, chromedp.WaitNotPresent(c.in(".live-responses-table")),
		chromedp.Click(c.in(".execute")),
		chromedp.WaitVisible(c.in(".live-responses-table .highlight-code")))
	status = get(t, b, chromedp.Text(c.in(".live-responses-table tr.response td.response-col_status")))
	body = get(t, b, chromedp.Text(c.in(".live-responses-table .highlight-code")))
	return strings.TrimSpace(status), body
}

// choose chooses an option of a list, as a person does.
func (b *browser) choose(t *testing.T, list chromedp.CSS, option string) {
	t.Helper()
	b.script(t, fmt.Sprintf("const list = document.querySelector(%q); list.value = %q; list.dispatchEvent(new Event('change', {bubbles: true}))", list, option))
}

// scrollTo brings an element to the top of the window.
func (b *browser) scrollTo(t *testing.T, element chromedp.CSS) {
	t.Helper()
	b.script(t, fmt.Sprintf("document.querySelector(%q).scrollIntoView()", element))
}

func (b *browser) script(t *testing.T, script string) {
	t.Helper()
	get(t, b, chromedp.Evaluate[bool]("{"+script+"}; true"))
}

// screenshot writes what the window shows to the directory in SCREENSHOTS, if it is set.
func (b *browser) screenshot(t *testing.T, name string) {
	t.Helper()
	directory := os.Getenv("SCREENSHOTS")
	if directory == "" {
		return
	}
	image := get(t, b, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(directory, name+".png"), image, 0o600); err != nil {
		t.Fatal(err)
	}
}
