package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// readMetrics returns how many requests the gateway has sent to its store, from the metrics of its admin server.
func readMetrics(ctx context.Context, admin string) (requests, error) {
	const name = "fluentcart_gateway_store_requests_total"
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(admin, "/")+"/metrics", nil) //nolint:gosec // the address that the command line names
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy
	response, err := client.Do(request)                                         //nolint:gosec // as above
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // it has been read, or the error is returned
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s/metrics: %s", admin, response.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s/metrics: %w", admin, err)
	}
	if families["fluentcart_gateway_build_info"] == nil {
		return nil, fmt.Errorf("%s/metrics: has no metrics of a gateway", admin)
	}
	counts := requests{} // a counter that is 0 is not there
	for _, metric := range families[name].GetMetric() {
		for _, label := range metric.GetLabel() {
			if label.GetName() == "method" {
				counts[label.GetValue()] += int(metric.GetCounter().GetValue())
			}
		}
	}
	return counts, nil
}
