// Package aws reads Amazon Web Services: the accounts of an organisation, or the account of the credentials.
//
// What is read. IAM (users, groups, roles, policies, the credential report, the account summary, the password policy);
// RDS, Neptune and DocumentDB (instances, clusters, backups, forced TLS, snapshots and who may restore them); the EC2
// network (VPCs, subnets, routes, network ACLs, security groups, prefix lists, interfaces); EC2 instances, volumes,
// snapshots and images and who may use them. needs.go is the table of every operation with its permission: the door lets
// nothing else pass, and `tenken needs aws` prints it as an IAM policy.
//
// What is never read: data. No object, no secret's value, no parameter's value, no log line, no table's item, no console
// output, no user data. PolicyDocument denies these explicitly, so that the role can't do it by another policy either.
//
// What is not read. Regions that are not opted in, unless the configuration names them: a region that was switched off
// after use may still hold resources; named under regions it is planned, and reported as not read. The unit "regions" names
// those that were left out. SSH public keys and service-specific credentials of IAM users (both for CodeCommit and the like)
// are not read yet: whether a user is suspended rests on console password, access keys and signing certificates.
//
// Facts only. One unit reads one subject of one account and region; edges are ids. What follows from facts of several
// units is drawn in derive.go. A listing is complete only when the last page said so; a refused detail call leaves the
// listing whole and makes the fields that it brings unknown, with that call as their read.
//
// Absent against unknown. A field that an answer lacks is unknown. It is absent only where AWS's documentation says that
// missing means none (no KMS key when not encrypted, no public address, no source of a replica).
//
// Credentials are those of the SDK's default chain, in its order: environment, web identity, the profile (SSO, `aws
// login`, source_profile, credential_process: the program that the operator's own file names is run), container, instance
// metadata. Three things of it are not followed: endpoint_url (the door sends to AWS's own hosts and to
// Config.Endpoint, and refuses any other), ca_bundle and AWS_CA_BUNDLE (New says to use SSL_CERT_FILE), and retry_mode.
//
// Retries. The design foresaw an aws.Retryer of our own inside the SDK's loop. Here the SDK tries once (aws.NopRetryer,
// so no token bucket of its own) and door.Do is the loop around the whole call: each try is signed anew after its lane let
// it in, so waiting costs no signature its validity, and the same loop serves AssumeRole.
package aws
