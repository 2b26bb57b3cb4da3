package aws

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"sptr.jp/tenken/scanners/internal/door"
)

// defaultChain is the SDK's own search for credentials, with every request of it through a door.
func (s *Scanner) defaultChain(ctx context.Context) (aws.Config, error) {
	if os.Getenv("AWS_CA_BUNDLE") != "" {
		return aws.Config{}, fmt.Errorf("AWS_CA_BUNDLE is not followed: name the file in SSL_CERT_FILE instead")
	}
	metadata := imds.New(imds.Options{HTTPClient: localClient("http://169.254.169.254"), Retryer: aws.NopRetryer{}})
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(&http.Client{Transport: s.guard}),
		config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) { o.Client = metadata }),
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = localClient(o.Endpoint) }),
	}
	if s.config.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(s.config.Profile))
	}
	base, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("reading the AWS configuration of this machine: %w", s.redactor.Error(err))
	}
	if base.Region == "" {
		base.Region = "us-east-1"
	}
	if aws.IsCredentialsProvider(base.Credentials, (*ec2rolecreds.Provider)(nil)) { // the last resort of the chain
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		if _, err := base.Credentials.Retrieve(ctx); err != nil {
			return aws.Config{}, fmt.Errorf("%w: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`", ErrNoCredential)
		}
	}
	base.Credentials = s.secretive(base.Credentials)
	return base, nil
}

// localClient reaches the credential service of the machine or the container that we run on, and nothing else.
func localClient(endpoint string) *http.Client {
	origin, err := url.Parse(endpoint)
	if err != nil {
		origin = &url.URL{Scheme: "http", Host: "169.254.170.2"}
	}
	return &http.Client{Transport: door.NewGuard(door.GuardConfig{
		Ops: []string{"local:credentials"}, Endpoint: origin, Metadata: true, Timeout: 2 * time.Second,
		Identify: func(*http.Request) (string, error) { return "local:credentials", nil },
	})}
}

// secretive makes every secret known to the redactor before it is used.
func (s *Scanner) secretive(p aws.CredentialsProvider) aws.CredentialsProvider {
	var known sync.Map // by access key, so that a secret is added once and not with every request
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		c, err := p.Retrieve(ctx)
		if err != nil {
			return c, fmt.Errorf("getting the caller's credentials: %w", s.redactor.Error(err))
		}
		if _, again := known.LoadOrStore(c.AccessKeyID, true); !again {
			s.redactor.Add(door.NewSecret(c.SecretAccessKey), door.NewSecret(c.SessionToken))
		}
		return c, nil
	})
}

// An account is one that is read, with the configuration that signs for it.
type account struct{ config aws.Config }

// account gives the account of an id: the caller's own credentials, or those of the role in it.
func (s *Scanner) account(id string) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[id]
	if a == nil {
		a = &account{config: s.base.Copy()}
		if s.config.Role != "" && id != "" {
			a.config.Credentials = &role{s: s, arn: roleARN(s.config.Role, s.partition, id), turn: make(chan struct{}, 1)}
		}
		s.accounts[id] = a
	}
	return a
}

// roleARN is the role in an account; an ARN of the configuration is moved there, with its path.
func roleARN(role, partition, account string) string {
	if parts := strings.SplitN(role, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		return strings.Join([]string{"arn", parts[1], parts[2], parts[3], account, parts[5]}, ":")
	}
	return "arn:" + partition + ":iam::" + account + ":role/" + strings.TrimPrefix(role, "role/")
}

// role gives credentials of an assumed role and renews them in time. It is not the SDK's cache, because that one hides
// the caller's cancellation from the request that it makes.
type role struct {
	s    *Scanner
	arn  string
	turn chan struct{} // held by the one who asks, so that one request serves all
	kept aws.Credentials
}

func (r *role) Retrieve(ctx context.Context) (aws.Credentials, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return aws.Credentials{}, &signInError{context.Cause(ctx)}
	}
	if r.kept.HasKeys() && time.Until(r.kept.Expires) > 5*time.Minute {
		return r.kept, nil
	}
	name := "tenken"
	lane := r.s.lanes.Lane("caller/" + r.s.base.Region + "/sts")
	out, err := send(ctx, lane, sts.NewFromConfig(r.s.base).AssumeRole, &sts.AssumeRoleInput{RoleArn: &r.arn, RoleSessionName: &name})
	switch {
	case err != nil:
		return aws.Credentials{}, &signInError{err}
	case out.Credentials == nil || out.Credentials.AccessKeyId == nil || out.Credentials.SecretAccessKey == nil || out.Credentials.Expiration == nil:
		return aws.Credentials{}, &signInError{errShape{"no credentials are in it"}}
	}
	c := out.Credentials
	r.kept = aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: aws.ToString(c.SessionToken),
		CanExpire: true, Expires: *c.Expiration, Source: "AssumeRole"}
	r.s.redactor.Add(door.NewSecret(r.kept.SecretAccessKey), door.NewSecret(r.kept.SessionToken))
	return r.kept, nil
}
