package aws

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// network remembers the hosts that were reached.
type network struct{ reached []string }

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	n.reached = append(n.reached, req.URL.Host)
	return &http.Response{StatusCode: 400, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// TestEveryPartitionIsReached: the hosts are those that the SDK finds for our services, with FIPS and without.
func TestEveryPartitionIsReached(t *testing.T) {
	for _, region := range []string{"us-east-1", "ap-northeast-1", "aws-global", "cn-north-1", "us-gov-west-1"} {
		for _, fips := range []aws.FIPSEndpointState{aws.FIPSEndpointStateDisabled, aws.FIPSEndpointStateEnabled} {
			if region == "aws-global" && fips == aws.FIPSEndpointStateEnabled { // there are no such hosts
				continue
			}
			var n network
			c := aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", ""),
				HTTPClient: &http.Client{Transport: newGuard(nil, Hooks{Transport: &n}, nil)}, Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
			var errs []error
			tell := func(err error) { errs = append(errs, err) }
			_, err := sts.NewFromConfig(c, func(o *sts.Options) { o.EndpointOptions.UseFIPSEndpoint = fips }).GetCallerIdentity(t.Context(), nil)
			tell(err)
			_, err = iam.NewFromConfig(c, func(o *iam.Options) { o.EndpointOptions.UseFIPSEndpoint = fips }).GetAccountSummary(t.Context(), nil)
			tell(err)
			_, err = organizations.NewFromConfig(c, func(o *organizations.Options) { o.EndpointOptions.UseFIPSEndpoint = fips }).DescribeOrganization(t.Context(), nil)
			tell(err)
			if region != "aws-global" {
				_, err = ec2.NewFromConfig(c, func(o *ec2.Options) { o.EndpointOptions.UseFIPSEndpoint = fips }).DescribeVpcs(t.Context(), nil)
				tell(err)
				_, err = rds.NewFromConfig(c, func(o *rds.Options) { o.EndpointOptions.UseFIPSEndpoint = fips }).DescribeDBClusters(t.Context(), nil)
				tell(err)
			}
			if len(n.reached) != len(errs) {
				t.Errorf("%s: reached %v of %d: %v", region, n.reached, len(errs), errs)
			}
		}
	}
}

// TestOneRequestOneOperation: what could be another operation to AWS than to the door never leaves, nor what goes to a
// host that isn't the operation's own.
func TestOneRequestOneOperation(t *testing.T) {
	const vpcs = "Action=DescribeVpcs&Version=2016-11-15"
	for _, c := range []struct {
		name, method, url, scope, target, body string
		sent                                   bool
	}{
		{"a read", "POST", "https://ec2.ap-northeast-1.amazonaws.com/", "ec2", "", vpcs, true},
		{"with the port", "POST", "https://ec2.ap-northeast-1.amazonaws.com:443/", "ec2", "", vpcs, true},
		{"a read by target", "POST", "https://organizations.us-east-1.amazonaws.com/", "organizations", "AWSOrganizationsV20161128.ListAccounts", "{}", true},
		{"an action in the address", "POST", "https://ec2.ap-northeast-1.amazonaws.com/?Action=TerminateInstances", "ec2", "", vpcs, false},
		{"the same action in the address", "POST", "https://ec2.ap-northeast-1.amazonaws.com/?Action=DescribeVpcs", "ec2", "", vpcs, false},
		{"an action in an address that is no form", "POST", "https://ec2.ap-northeast-1.amazonaws.com/?a;Action=TerminateInstances", "ec2", "", vpcs, false},
		{"a parameter in the address", "POST", "https://ec2.ap-northeast-1.amazonaws.com/?Version=2016-11-15", "ec2", "", vpcs, false},
		{"two actions", "POST", "https://ec2.ap-northeast-1.amazonaws.com/", "ec2", "", vpcs + "&Action=TerminateInstances", false},
		{"two spellings", "POST", "https://ec2.ap-northeast-1.amazonaws.com/", "ec2", "", vpcs + "&action=TerminateInstances", false},
		{"a form and a target", "POST", "https://organizations.us-east-1.amazonaws.com/", "organizations", "AWSOrganizationsV20161128.ListAccounts", "Action=LeaveOrganization", false},
		{"a target without an action", "POST", "https://organizations.us-east-1.amazonaws.com/", "organizations", "ListAccounts", "{}", false},
		{"another service's host", "POST", "https://rds.ap-northeast-1.amazonaws.com/", "ec2", "", vpcs, false},
		{"a machine", "POST", "https://ec2-203-0-113-10.compute-1.amazonaws.com/", "ec2", "", vpcs, false},
		{"a machine of a region", "POST", "https://ec2-203-0-113-10.ap-northeast-1.compute.amazonaws.com/", "ec2", "", vpcs, false},
		{"a bucket", "POST", "https://bucket.s3.amazonaws.com/", "ec2", "", vpcs, false},
		{"a bucket called like a service", "POST", "https://ec2.s3.amazonaws.com/", "ec2", "", vpcs, false},
		{"a bucket of a region", "POST", "https://ec2.s3-ap-northeast-1.amazonaws.com/", "ec2", "", vpcs, false},
		{"another service", "POST", "https://s3.amazonaws.com/", "ec2", "", vpcs, false},
		{"the web", "POST", "https://ec2.ap-northeast-1.example.com/", "ec2", "", vpcs, false},

		{"signing in", "GET", "https://portal.sso.ap-northeast-1.amazonaws.com/federation/credentials?role_name=r&account_id=1", "", "", "", true},
		{"signing in, in China", "GET", "https://portal.sso.cn-north-1.amazonaws.com.cn/federation/credentials?role_name=r", "", "", "", true},
		{"a token", "POST", "https://oidc.ap-northeast-1.amazonaws.com/token", "", "", "{}", true},
		{"a token of the console", "POST", "https://ap-northeast-1.signin.aws.amazon.com/v1/token", "", "", "{}", true},
		{"in China", "POST", "https://cn-north-1.signin.amazonaws.cn/v1/token", "", "", "{}", true},
		{"for the government", "POST", "https://us-gov-west-1.signin.amazonaws-us-gov.com/v1/token", "", "", "{}", true},
		{"by web identity", "POST", "https://sts.ap-northeast-1.amazonaws.com/", "", "", "Action=AssumeRoleWithWebIdentity", true},
		{"signing in elsewhere", "GET", "https://ec2.ap-northeast-1.amazonaws.com/federation/credentials", "", "", "", false},
		{"a token from elsewhere", "POST", "https://portal.sso.ap-northeast-1.amazonaws.com/token", "", "", "{}", false},
		{"a token of the console from elsewhere", "POST", "https://oidc.ap-northeast-1.amazonaws.com/v1/token", "", "", "{}", false},
		{"web identity elsewhere", "POST", "https://iam.amazonaws.com/", "", "", "Action=AssumeRoleWithWebIdentity", false},
		{"an action beside it", "GET", "https://portal.sso.ap-northeast-1.amazonaws.com/federation/credentials?Action=x", "", "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n network
			req, err := http.NewRequestWithContext(t.Context(), c.method, c.url, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if c.scope != "" {
				req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20261124/us-east-1/"+c.scope+"/aws4_request, SignedHeaders=host, Signature=0")
			}
			if c.target != "" {
				req.Header.Set("X-Amz-Target", c.target)
			}
			resp, err := newGuard(nil, Hooks{Transport: &n}, nil).RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			if (len(n.reached) == 1) != c.sent {
				t.Errorf("sent to %v: %v", n.reached, err)
			}
		})
	}
}

// TestHostHeaderOfAnother: the name that is asked must be the one that answers.
func TestHostHeaderOfAnother(t *testing.T) {
	var n network
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://rds.us-east-1.amazonaws.com/", strings.NewReader("Action=DescribeDBInstances"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20261124/us-east-1/rds/aws4_request, SignedHeaders=host, Signature=0")
	req.Host = "iam.amazonaws.com"
	if _, err := newGuard(nil, Hooks{Transport: &n}, nil).RoundTrip(req); err == nil || len(n.reached) > 0 {
		t.Errorf("sent to %v", n.reached)
	}
}
