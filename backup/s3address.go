package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3Address is where a bucket is.
type s3Address struct {
	endpoint, bucket, prefix, region string
	insecure                         bool
}

func parseS3(u *url.URL) (a s3Address, err error) {
	if u.User != nil {
		return a, errors.New("keys do not belong in an address: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment have them")
	}
	a = s3Address{
		bucket: u.Host, prefix: strings.Trim(u.Path, "/"), region: cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
		endpoint: cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), "s3.amazonaws.com"),
	}
	if a.bucket == "" {
		return a, errors.New("the bucket is missing: s3://BUCKET/PREFIX")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, err
	}
	for name, values := range query {
		v := values[len(values)-1]
		switch {
		case name == "endpoint" && v != "":
			a.endpoint = v
		case name == "region" && v != "":
			a.region = v
		case name == "insecure" && (v == "" || v == "true"):
			a.insecure = true
		default:
			return a, fmt.Errorf("%s=%s: there are endpoint=HOST:PORT, region=REGION and insecure", name, v)
		}
	}
	if scheme, rest, ok := strings.Cut(a.endpoint, "://"); ok {
		a.endpoint = strings.TrimSuffix(rest, "/")
		a.insecure = a.insecure || scheme == "http"
	}
	return a, nil
}

// findCredentials takes the first that are found: of the environment, of the
// shared file, of the role of this machine, container or pod.
func findCredentials(ctx context.Context) (*credentials.Credentials, error) {
	client := &http.Client{Timeout: 5 * time.Second} // where there is no role, there is often nobody
	var errs []error
	for _, p := range []struct {
		from string
		credentials.Provider
	}{
		{"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", &credentials.EnvAWS{}},
		{"the shared file (AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE)", &credentials.FileAWSCredentials{}},
		{"a role of this machine", &credentials.IAM{Client: client}},
	} {
		creds := credentials.New(p.Provider)
		v, err := creds.GetWithContext(&credentials.CredContext{Client: client, Context: ctx})
		if err == nil && v.AccessKeyID != "" && v.SecretAccessKey != "" {
			return creds, nil
		}
		if err == nil {
			err = errors.New("there are none")
		}
		errs = append(errs, fmt.Errorf("%s: %w", p.from, err))
	}
	return nil, fmt.Errorf("no credentials for the store: %w", errors.Join(errs...))
}
