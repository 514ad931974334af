package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

const defaultRegion = "us-east-1"

func openS3(ctx context.Context, name string, s Store) (*blob.Bucket, error) {
	c := aws.Config{Region: s.Region, HTTPClient: s3Client()}
	if c.Region == "" {
		c.Region = defaultRegion
	}
	if s.AccessKey != "" {
		c.Credentials = credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")
	} else {
		given, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, fmt.Errorf("read credentials from the environment: %w", err)
		}
		c.Credentials = given.Credentials
	}
	if s.Endpoint != "" {
		if u, err := url.Parse(s.Endpoint); err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, errors.New("the endpoint is no http(s) address")
		}
	}
	client := s3.NewFromConfig(c, func(o *s3.Options) {
		if s.Endpoint != "" {
			o.BaseEndpoint = aws.String(s.Endpoint)
			o.UsePathStyle = true // a name for each bucket is Amazon's
		}
	})
	return s3blob.OpenBucketV2(ctx, client, name, nil)
}

// s3Client follows no redirect. The endpoint is the operator's, so it may be in
// a private network, and a proxy of the environment holds.
func s3Client() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = 30 * time.Second
	t.MaxResponseHeaderBytes = 64 << 10
	t.DisableCompression = true // ranges are of the object, not of a packing
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

var s3Kind = kind{
	version: func(a *blob.Attributes) string {
		var head s3.HeadObjectOutput
		if a.As(&head) && head.VersionId != nil && *head.VersionId != "null" { // "null" is overwritten in place
			return *head.VersionId
		}
		return ""
	},
	pin: func(as func(any) bool, version, etag string) {
		var in *s3.GetObjectInput
		if !as(&in) {
			return
		}
		if version != "" {
			in.VersionId = aws.String(version)
		}
		if etag != "" {
			in.IfMatch = aws.String(etag)
		}
	},
	status: func(err error) int {
		var answer *awshttp.ResponseError
		if errors.As(err, &answer) && answer.Response != nil {
			return answer.HTTPStatusCode()
		}
		return 0
	},
}
