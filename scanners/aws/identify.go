package aws

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// signInOps are sent by the SDK's credential chain only. They read nothing of the company.
var signInOps = map[string]string{
	"GET /federation/credentials": "sso:GetRoleCredentials",
	"POST /token":                 "sso-oidc:CreateToken",
	"POST /v1/token":              "signin:CreateOAuth2Token",
}

// hosts are those of the services that the operations belong to, in the partitions aws, aws-us-gov and aws-cn.
func hosts(ops []string) (patterns []string) {
	seen := map[string]bool{}
	for _, op := range ops {
		service, _, _ := strings.Cut(op, ":")
		if seen[service] {
			continue
		}
		seen[service] = true
		name := service
		switch service {
		case "sso":
			name = "portal.sso"
		case "sso-oidc":
			name = "oidc"
		case "signin":
			patterns = append(patterns, "*.signin.aws.amazon.com", "*.signin.amazonaws.cn", "*.signin.amazonaws-us-gov.com",
				"signin-fips.amazonaws-us-gov.com")
		}
		for _, host := range []string{name, name + "-fips"} {
			patterns = append(patterns, host+".amazonaws.com", host+".*.amazonaws.com", host+".amazonaws.com.cn", host+".*.amazonaws.com.cn")
		}
	}
	return patterns
}

const region = `(?:[a-z]+(?:-[a-z]+)+-\d+|us-gov)`

// The host of a service, and that of signing in. The label after the service is a region: a bucket may be called rds.
var (
	serviceHost = regexp.MustCompile(`^(portal\.sso|[a-z0-9]+)(?:-fips)?(?:\.` + region + `)?\.amazonaws\.com(?:\.cn)?$`)
	signInHost  = regexp.MustCompile(`^(?:` + region + `\.signin\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)|signin-fips\.amazonaws-us-gov\.com)$`)
)

// serviceAt is the service that answers at a host of AWS, empty if it is no such host.
func serviceAt(host string) string {
	host = strings.ToLower(host)
	if signInHost.MatchString(host) {
		return "signin"
	}
	switch found := serviceHost.FindStringSubmatch(host); {
	case found == nil:
		return ""
	case found[1] == "portal.sso":
		return "sso"
	case found[1] == "oidc":
		return "sso-oidc"
	default:
		return found[1]
	}
}

// identifyAt is identify where the operation is one of the service whose host is asked. An endpoint stands for all.
func identifyAt(endpoint *url.URL, req *http.Request) (string, error) {
	op, err := identify(req)
	if err != nil || endpoint != nil && strings.EqualFold(req.URL.Host, endpoint.Host) {
		return op, err
	}
	service, _, _ := strings.Cut(op, ":")
	if serviceAt(req.URL.Hostname()) != service {
		return "", fmt.Errorf("%s is not asked of the host %s", op, req.URL.Hostname())
	}
	if req.Host != "" && serviceAt(strings.TrimSuffix(req.Host, ":443")) != service {
		return "", fmt.Errorf("%s is not asked of the host %s", op, req.Host)
	}
	return op, nil
}

var credentialScope = regexp.MustCompile(`Credential=[^/]+/\d{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request`)

// identify names the operation of a request: its service by the scope of the signature, its action by the form or by the
// target header. A request that names it in two places, or where we don't look, may be another one to AWS than to us.
func identify(req *http.Request) (string, error) {
	query, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil || len(values(query, "Action")) > 0 || req.Method == http.MethodPost && len(query) > 0 {
		return "", errors.New("its address has a query that may name an action")
	}
	if op, ok := signInOps[req.Method+" "+req.URL.Path]; ok {
		return op, nil
	}
	var actions []string
	for _, target := range req.Header.Values("X-Amz-Target") {
		_, action, _ := strings.Cut(target, ".")
		actions = append(actions, action)
	}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return "", fmt.Errorf("reading its body: %w", err)
		}
		if form, err := url.ParseQuery(string(body)); err == nil {
			actions = append(actions, values(form, "Action")...)
		}
	}
	scope := credentialScope.FindStringSubmatch(req.Header.Get("Authorization"))
	switch {
	case len(actions) > 1:
		return "", errors.New("it names more than one action")
	case req.Method != http.MethodPost || len(actions) == 0 || actions[0] == "":
		return "", fmt.Errorf("%s %s names no action", req.Method, req.URL.Path)
	case actions[0] == "AssumeRoleWithWebIdentity": // the token in it is its signature
		return "sts:" + actions[0], nil
	case scope == nil:
		return "", errors.New("it is not signed")
	}
	return scope[1] + ":" + actions[0], nil
}

// values are those of a key, whatever the case of its letters.
func values(form url.Values, key string) (found []string) {
	for k, v := range form {
		if strings.EqualFold(k, key) {
			found = append(found, v...)
		}
	}
	return found
}
