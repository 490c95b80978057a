package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	provenancev1 "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intotov1 "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
)

// sum is a line of the checksums.
type sum struct{ name, sha256 string }

// repository is where the source is.
const repository = "https://github.com/fluentcart-gateway/fluentcart-gateway"

// writeSums writes SHA256SUMS, which `sha256sum --check` reads.
func (r *release) writeSums() ([]sum, error) {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	var sums []sum
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(r.out, entry.Name()))
		if err != nil {
			return nil, err
		}
		digest := sha256.Sum256(content)
		sums = append(sums, sum{entry.Name(), hex.EncodeToString(digest[:])})
		fmt.Fprintf(&out, "%s  %s\n", sums[len(sums)-1].sha256, entry.Name())
	}
	return sums, os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), out.Bytes(), 0o644) //nolint:gosec // for everyone to read
}

// writeProvenance writes a statement of in-toto with the SLSA predicate, https://slsa.dev/spec/v1.0/provenance: from which commit,
// by which compiler and by which command the files were built. It is not signed; the workflow signs one of its own. It says
// nothing of the machine, so that others can build the same one.
func (r *release) writeProvenance(s *source, sums []sum) error {
	external, err := structpb.NewStruct(map[string]any{"version": r.version, "platforms": strings.Join(r.platforms, ",")})
	if err != nil {
		return err
	}
	internal, err := structpb.NewStruct(map[string]any{"go": s.toolchain})
	if err != nil {
		return err
	}
	predicate, err := toStruct(&provenancev1.Provenance{
		BuildDefinition: &provenancev1.BuildDefinition{
			BuildType:          repository + "/blob/main/CONTRIBUTING.md#release",
			ExternalParameters: external,
			InternalParameters: internal,
			ResolvedDependencies: []*intotov1.ResourceDescriptor{
				{Uri: "git+" + repository + ".git@refs/tags/" + r.version, Digest: map[string]string{"gitCommit": s.commit}},
			},
		},
		RunDetails: &provenancev1.RunDetails{Builder: &provenancev1.Builder{Id: repository + "/blob/" + s.commit + "/tools/release"}},
	})
	if err != nil {
		return err
	}
	statement := &intotov1.Statement{Type: intotov1.StatementTypeUri, PredicateType: "https://slsa.dev/provenance/v1", Predicate: predicate}
	for _, sum := range sums {
		statement.Subject = append(statement.Subject, &intotov1.ResourceDescriptor{Name: sum.name, Digest: map[string]string{"sha256": sum.sha256}})
	}
	if err := statement.Validate(); err != nil {
		return err
	}
	text, err := protojson.Marshal(statement)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil { // the spaces of protojson differ from run to run
		return err
	}
	out.WriteByte('\n')
	return os.WriteFile(r.file("provenance.intoto.json"), out.Bytes(), 0o644) //nolint:gosec // for everyone to read
}

func toStruct(provenance *provenancev1.Provenance) (*structpb.Struct, error) {
	if err := provenance.Validate(); err != nil {
		return nil, err
	}
	text, err := protojson.Marshal(provenance)
	if err != nil {
		return nil, err
	}
	predicate := new(structpb.Struct)
	return predicate, protojson.Unmarshal(text, predicate)
}
