package aws

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// tlsQuestion asks what a parameter of a parameter group is. The zero question has no answer: the engine has no such
// parameter, or no group was named.
type tlsQuestion struct {
	group, parameter string
	cluster          bool
}

// tlsParameter is the parameter by which an engine refuses connections without TLS.
func tlsParameter(engine *string) string {
	switch e := str(engine); {
	case e == "postgres", e == "aurora-postgresql", strings.HasPrefix(e, "sqlserver"):
		return "rds.force_ssl"
	case e == "mysql", e == "mariadb", e == "aurora-mysql", e == "aurora":
		return "require_secure_transport"
	case e == "docdb":
		return "tls"
	case e == "neptune":
		return "neptune_enforce_ssl"
	}
	return ""
}

func clusterQuestion(c *rdstypes.DBCluster) tlsQuestion {
	q := tlsQuestion{str(c.DBClusterParameterGroup), tlsParameter(c.Engine), true}
	if q.group == "" || q.parameter == "" {
		return tlsQuestion{}
	}
	return q
}

func instanceQuestion(i *rdstypes.DBInstance) tlsQuestion {
	if len(i.DBParameterGroups) == 0 || tlsParameter(i.Engine) == "" {
		return tlsQuestion{}
	}
	return tlsQuestion{str(i.DBParameterGroups[0].DBParameterGroupName), tlsParameter(i.Engine), false}
}

// tlsOf: what belongs to a cluster obeys the cluster's parameters.
func (r *reader) tlsOf(i *rdstypes.DBInstance, d *rdsData) inventory.Val[bool] {
	if i.DBClusterIdentifier == nil {
		return d.tls[instanceQuestion(i)]
	}
	if c := d.clusters[*i.DBClusterIdentifier]; c != nil {
		return d.tls[clusterQuestion(c)]
	}
	return inventory.Unknown[bool](d.clustered)
}

// forcedTLS asks once for each parameter group in use.
func (r *reader) forcedTLS(ctx context.Context, client *rds.Client, d *rdsData) {
	var questions []tlsQuestion
	d.tls = map[tlsQuestion]inventory.Val[bool]{{}: {}}
	ask := func(q tlsQuestion) {
		if _, asked := d.tls[q]; !asked {
			d.tls[q], questions = inventory.Val[bool]{}, append(questions, q)
		}
	}
	for i := range d.instances {
		if d.instances[i].DBClusterIdentifier == nil {
			ask(instanceQuestion(&d.instances[i]))
		}
	}
	for _, id := range d.order {
		ask(clusterQuestion(d.clusters[id]))
	}
	values, errs := make([]string, len(questions)), make([]error, len(questions))
	scanners.Each(ctx, r.s.config.Concurrency, questions, func(ctx context.Context, i int, q tlsQuestion) {
		values[i], errs[i] = r.parameter(ctx, client, q)
	})
	for i, q := range questions {
		n := describeDBParameters
		if q.cluster {
			n = describeDBClusterParams
		}
		read := r.note(n, errs[i])
		d.tls[q] = tlsValue(values[i], read)
		if errs[i] != nil {
			d.tls[q] = inventory.Unknown[bool](read)
		}
	}
}

// tlsValue reads the parameter's value. One that the group does not have, or has no value for, says nothing.
func tlsValue(value string, read inventory.ReadID) inventory.Val[bool] {
	switch v := strings.ToLower(value); {
	case v == "1", v == "on", v == "true", v == "enabled", strings.HasPrefix(v, "tls1."), strings.HasPrefix(v, "fips"):
		return inventory.Known(true, read)
	case v == "0", v == "off", v == "false", v == "disabled":
		return inventory.Known(false, read)
	}
	return inventory.Unknown[bool](read)
}

// errFound ends a pager early: what was looked for is in hand.
var errFound = errors.New("found")

// parameter gives the value of a parameter, empty if the group has none. AWS filters by name; a server that doesn't is
// read until the parameter comes.
func (r *reader) parameter(ctx context.Context, client *rds.Client, q tlsQuestion) (value string, err error) {
	type page struct {
		parameters []rdstypes.Parameter
		next       *string
	}
	filter := []rdstypes.Filter{{Name: ptr("parameter-name"), Values: []string{q.parameter}}}
	ask := func(token *string) (*page, error) {
		if q.cluster {
			out, err := call(ctx, r, "rds", client.DescribeDBClusterParameters, &rds.DescribeDBClusterParametersInput{
				DBClusterParameterGroupName: &q.group, Filters: filter, MaxRecords: ptr(rdsPage), Marker: token})
			if err != nil {
				return nil, err
			}
			return &page{out.Parameters, out.Marker}, nil
		}
		out, err := call(ctx, r, "rds", client.DescribeDBParameters, &rds.DescribeDBParametersInput{
			DBParameterGroupName: &q.group, Filters: filter, MaxRecords: ptr(rdsPage), Marker: token})
		if err != nil {
			return nil, err
		}
		return &page{out.Parameters, out.Marker}, nil
	}
	_, err = pages(func(p rdstypes.Parameter) string { return str(p.ParameterName) },
		func(token *string) (*page, error) {
			p, err := ask(token)
			if err != nil {
				return nil, err
			}
			for _, parameter := range p.parameters {
				if str(parameter.ParameterName) == q.parameter {
					value = str(parameter.ParameterValue)
					return nil, errFound
				}
			}
			return p, nil
		},
		func(p *page) ([]rdstypes.Parameter, *string) { return p.parameters, p.next })
	if errors.Is(err, errFound) {
		err = nil
	}
	return value, err
}
