package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/nearest"
)

// variablePrefix begins the environment variables of the flags.
const variablePrefix = "FLUENTCART_GATEWAY"

// variables are the environment variables of the flags of all commands.
type variables []string

// read notes the variables of a parser. A variable without a value counts as unset: templates of Compose, systemd and
// Kubernetes leave such variables behind, and kong would parse them.
func (v *variables) read(parser *kong.Kong) error {
	for _, flag := range allFlags(parser.Model) {
		*v = append(*v, flag.Tag.Envs...)
		flag.Tag.Envs = slices.DeleteFunc(slices.Clone(flag.Tag.Envs), func(name string) bool {
			return strings.TrimSpace(os.Getenv(name)) == ""
		})
	}
	return nil
}

// allFlags returns the flags of all commands.
func allFlags(model *kong.Application) []*kong.Flag {
	flags := slices.Clone(model.Flags)
	for _, command := range model.Children {
		flags = append(flags, command.Flags...)
	}
	return flags
}

// unknown returns a fault for each variable of an environment that has the gateway's prefix and sets no flag. It is most
// probably a misspelt flag, and the gateway would run with other bounds, or less protection, than its operator believes.
// The fault does not repeat the value, which may be a password.
func (v variables) unknown(environment []string) error {
	var faults []error
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		rest, ours := strings.CutPrefix(strings.ToUpper(name), variablePrefix+"_")
		if !ours || strings.TrimSpace(value) == "" || slices.Contains(v, name) || isServiceLink(rest, value) {
			continue
		}
		advice := "remove it; --help shows all flags, and each is a variable"
		if near := v.nearest(rest); near != "" {
			advice = "did you mean " + near + "?"
		}
		faults = append(faults, fmt.Errorf("%s: is not a variable of the gateway; %s", name, advice))
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

// nearest returns the variable that a name is most probably a mistake for. The prefix, which all have, is not compared.
func (v variables) nearest(rest string) string {
	names := make([]string, len(v))
	for i, name := range v {
		names[i] = strings.TrimPrefix(name, variablePrefix+"_")
	}
	near := nearest.Name(rest, names)
	if near == "" {
		return ""
	}
	return variablePrefix + "_" + near
}

// serviceLink matches the variables that Kubernetes and Docker set for a service named fluentcart-gateway, or
// fluentcart-gateway-admin, in each container beside it, without their prefix.
// https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
var (
	serviceLink = regexp.MustCompile(`^(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	servicePort = regexp.MustCompile(`^(.+_)?PORT$`)
	serviceURL  = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// isServiceLink reports whether a variable tells where a service is. PORT does so only with an address as its value; 8080
// would be a mistake for HTTP_ADDR.
func isServiceLink(rest, value string) bool {
	return serviceLink.MatchString(rest) || servicePort.MatchString(rest) && serviceURL.MatchString(value)
}
