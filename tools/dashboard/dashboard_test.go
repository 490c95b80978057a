package dashboard

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

const (
	dashboardFile = "../../deploy/grafana/fluentcart-gateway.json"
	gridWidth     = 24
)

// classicDashboard is the form that each version of Grafana reads from files.
type classicDashboard = dashboard.Dashboard //nolint:staticcheck // deprecated for a form that Grafana 11 does not read

// query is an expression of a panel.
type query struct{ panel, expr, legend string }

// readDashboard reads the dashboard as Grafana's schema defines it. Unknown fields, and required ones that are missing, are errors.
func readDashboard(t testing.TB) *classicDashboard {
	t.Helper()
	content, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(content), "://") {
		t.Error("the dashboard has an absolute URL")
	}
	schemas := cog.NewRuntime() // those of all panels of Grafana take a minute to compile
	schemas.RegisterPanelcfgVariant(stat.VariantConfig())
	schemas.RegisterPanelcfgVariant(statetimeline.VariantConfig())
	schemas.RegisterPanelcfgVariant(table.VariantConfig())
	schemas.RegisterPanelcfgVariant(timeseries.VariantConfig())
	schemas.RegisterDataqueryVariant(prometheus.VariantConfig())
	if err := new(classicDashboard).UnmarshalJSONStrict(content); err != nil && err.Error() != "" { // an empty list of faults is not nil
		t.Fatal(err)
	}
	read := new(classicDashboard) // the strict form leaves the panels out
	if err := json.Unmarshal(content, read); err != nil {
		t.Fatal(err)
	}
	if err := read.Validate(); err != nil {
		t.Fatal(err)
	}
	return read
}

// queriesOf returns the expressions of a panel.
func queriesOf(t testing.TB, panel *dashboard.Panel) []query {
	t.Helper()
	queries := make([]query, 0, len(panel.Targets))
	for _, target := range panel.Targets {
		to, ok := target.(*prometheus.Dataquery)
		if !ok {
			t.Fatalf("%s: a target is a %T", *panel.Title, target)
		}
		queries = append(queries, query{textOf(panel.Title), to.Expr, textOf(to.LegendFormat)})
	}
	return queries
}

func TestDashboardHasGrafanasForm(t *testing.T) {
	d := readDashboard(t)
	if d.SchemaVersion < 39 || d.Id != nil || *d.Uid != "fluentcart-gateway" {
		t.Errorf("schema %d, id %v, uid %s", d.SchemaVersion, d.Id, *d.Uid)
	}
	ids, titles, taken := map[uint32]bool{}, map[string]bool{}, map[[2]uint32]string{}
	for _, either := range d.Panels {
		if row := either.RowPanel; row != nil {
			if len(row.Panels) != 0 || row.Collapsed {
				t.Errorf("the row %s is collapsed", *row.Title)
			}
			checkPlace(t, taken, *row.Title, row.GridPos)
			checkNew(t, ids, row.Id)
			continue
		}
		panel := either.Panel
		title := textOf(panel.Title)
		if _, known := cog.NewRuntime().ConfigForPanelcfgVariant(panel.Type); !known {
			t.Errorf("%s: the test needs the schema of the panel type %s", title, panel.Type)
		}
		checkPlace(t, taken, title, panel.GridPos)
		checkNew(t, ids, *panel.Id)
		checkNew(t, titles, title)
		if title == "" || textOf(panel.Description) == "" || textOf(panel.FieldConfig.Defaults.Unit) == "" {
			t.Errorf("panel %d needs a title, a description and a unit", *panel.Id)
		}
		if textOf(panel.Datasource.Uid) != "${datasource}" || len(panel.Targets) == 0 {
			t.Errorf("%s: data source %s, %d targets", title, textOf(panel.Datasource.Uid), len(panel.Targets))
		}
		refs := map[string]bool{}
		for _, target := range panel.Targets {
			to, ok := target.(*prometheus.Dataquery)
			if !ok {
				t.Fatalf("%s: a target is a %T", title, target)
			}
			checkNew(t, refs, textOf(to.RefId))
			if to.Expr == "" || textOf(to.RefId) == "" || textOf(to.Datasource.Uid) != "${datasource}" {
				t.Errorf("%s: expression %q, refId %q, data source %s", title, to.Expr, textOf(to.RefId), textOf(to.Datasource.Uid))
			}
			for _, selector := range selectorsOf(to.Expr) {
				if !strings.Contains(selector.text, `{job=~"$job", instance=~"$instance"`) {
					t.Errorf("%s: %s does not select the job and the instance", title, selector.text)
				}
			}
		}
	}
	if len(titles) < 30 {
		t.Errorf("%d panels", len(titles))
	}
}

// textOf returns the text of a field, which is empty if the field is missing.
func textOf(field *string) string {
	if field == nil {
		return ""
	}
	return *field
}

// checkPlace checks that a panel lies in the grid and over no other one.
func checkPlace(t *testing.T, taken map[[2]uint32]string, title string, at *dashboard.GridPos) {
	t.Helper()
	if at == nil || at.W == 0 || at.H == 0 || at.X+at.W > gridWidth {
		t.Errorf("%s: place %+v", title, at)
		return
	}
	for x := at.X; x < at.X+at.W; x++ {
		for y := at.Y; y < at.Y+at.H; y++ {
			if other, ok := taken[[2]uint32{x, y}]; ok {
				t.Fatalf("%s lies over %s", title, other)
			}
			taken[[2]uint32{x, y}] = title
		}
	}
}

func checkNew[K comparable](t *testing.T, seen map[K]bool, key K) {
	t.Helper()
	if seen[key] {
		t.Errorf("%v is there twice", key)
	}
	seen[key] = true
}
