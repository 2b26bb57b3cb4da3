package aws

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"sptr.jp/tenken/scanners/internal/door"
)

// attemptTimeout bounds one request, from sending it to the end of its answer.
const attemptTimeout = 30 * time.Second

// newGuard is the one way to AWS for every client, those of credentials included.
func newGuard(endpoint *url.URL, h Hooks, redactor *door.Redactor) *door.Guard {
	ops := []string{"sts:AssumeRoleWithWebIdentity"}
	for _, n := range Needs() {
		ops = append(ops, n.Operation)
	}
	for _, op := range signInOps {
		ops = append(ops, op)
	}
	c := door.GuardConfig{
		Ops: ops, Hosts: hosts(ops), Endpoint: endpoint, Timeout: attemptTimeout, Redactor: redactor, Base: h.Transport,
		Identify: func(req *http.Request) (string, error) { return identifyAt(endpoint, req) },
	}
	if h.Call != nil {
		c.Journal = func(d door.Call) {
			h.Call(Call{Operation: d.Op, Host: d.Host, Status: d.Status, Bytes: d.Bytes, Duration: d.Duration,
				Attempt: d.Attempt, Failure: string(d.Class)})
		}
	}
	return door.NewGuard(c)
}

// baseConfig is what every client is made with; its credentials are the caller's own.
func (s *Scanner) baseConfig(ctx context.Context, endpoint *url.URL) (aws.Config, error) {
	base := aws.Config{Region: "us-east-1"}
	if endpoint == nil {
		var err error
		if base, err = s.defaultChain(ctx); err != nil {
			return base, err
		}
	} else {
		address := endpoint.String()
		base.BaseEndpoint = &address
		base.HTTPClient = &http.Client{Transport: s.guard}
		base.Credentials = s.secretive(environmentKeys{})
		if region := os.Getenv("AWS_REGION"); region != "" {
			base.Region = region
		}
	}
	if len(s.config.Regions) > 0 {
		base.Region = s.config.Regions[0]
	}
	base.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	base.AppID = "tenken"
	base.APIOptions = append(base.APIOptions, func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(rightShape{}, middleware.After)
	})
	return base, nil
}

// environmentKeys gives the keys of the environment, or dummies.
type environmentKeys struct{}

func (environmentKeys) Retrieve(context.Context) (aws.Credentials, error) {
	if id := os.Getenv("AWS_ACCESS_KEY_ID"); id != "" {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Source: "environment"}, nil
	}
	return aws.Credentials{AccessKeyID: "tenken", SecretAccessKey: "tenken", Source: "dummy"}, nil
}

// rightShape refuses an answer that is not the one of the operation. The SDK takes an empty body, and for EC2 any
// well-formed XML such as the page of a captive portal, for an answer without a single element: an empty list.
type rightShape struct{}

func (rightShape) ID() string { return "TenkenRightShape" }

func (rightShape) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || resp.StatusCode < 200 || resp.StatusCode > 299 {
		return out, metadata, err
	}
	body := bufio.NewReader(resp.Body)
	if err = checkShape(body, awsmiddleware.GetOperationName(ctx)); err != nil {
		_ = resp.Body.Close() // the answer is refused whatever closing says
		return out, metadata, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{body, resp.Body}
	return out, metadata, nil
}

// checkShape looks at the head of an answer and consumes at most its leading white space.
func checkShape(body *bufio.Reader, operation string) error {
	for {
		b, err := body.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return errShape{"it is empty"}
		case err != nil:
			return err
		case strings.IndexByte(" \t\r\n", b) >= 0:
			continue
		}
		if err := body.UnreadByte(); err != nil {
			return err
		}
		break
	}
	head, err := body.Peek(2048)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if head[0] == '{' { // JSON; whether it is whole, the decoder sees
		return nil
	}
	decoder := xml.NewDecoder(bytes.NewReader(head))
	for {
		token, err := decoder.RawToken()
		if err != nil {
			return errShape{"it is not XML or JSON"}
		}
		if root, ok := token.(xml.StartElement); ok {
			if root.Name.Local != operation+"Response" {
				return errShape{"it answers something else"}
			}
			return nil
		}
	}
}
