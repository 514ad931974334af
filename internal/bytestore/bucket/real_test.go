//go:build real

package bucket_test

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/bytestore/bucket"
	"github.com/pilotgate/pilotgate/internal/bytestore/parts"
)

// gateway runs a real S3 server over a folder and answers its address.
func gateway(t *testing.T) (string, *s3.Client) {
	t.Helper()
	tools, dir := parts.VersityGW.Build(t), t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	for _, name := range []string{"data", "versions", "meta"} {
		require.NoError(t, exec.Command("mkdir", filepath.Join(dir, name)).Run())
	}
	ctx, stop := context.WithCancel(context.Background())
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(tools, "versitygw"), "--port", address, "--access", "made-up-id", "--secret", "made-up-key",
		"--region", "eu-central-1", "posix", "--versioning-dir", filepath.Join(dir, "versions"), "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data"))
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	require.Eventually(t, func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, time.Minute, 20*time.Millisecond, "versitygw does not listen")
	return "http://" + address, s3.NewFromConfig(aws.Config{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("made-up-id", "made-up-key", ""),
	}, func(o *s3.Options) { o.BaseEndpoint, o.UsePathStyle = aws.String("http://"+address), true })
}

func put(t *testing.T, c *s3.Client, name, key string, body []byte) {
	t.Helper()
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: &key, Body: bytes.NewReader(body)})
	require.NoError(t, err)
}

func TestARealS3(t *testing.T) {
	endpoint, c := gateway(t)
	for _, name := range []string{"acme", "versioned"} {
		_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name)})
		require.NoError(t, err)
	}
	_, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: aws.String("versioned"), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	require.NoError(t, err)
	key := func(name, secret string) *bucket.Stores {
		stores, err := bucket.Open(ctx, []bucket.Store{{Bucket: "s3://" + name, Endpoint: endpoint, Region: "eu-central-1", AccessKey: "made-up-id", SecretKey: secret, Repositories: []string{"*"}}})
		require.NoError(t, err)
		return stores
	}
	plain, kept := key("acme", "made-up-key"), key("versioned", "made-up-key")
	put(t, c, "acme", "pilots/a.jsonl", object)
	put(t, c, "acme", "pilots/empty.jsonl", nil)
	put(t, c, "versioned", "a.jsonl", object)

	t.Run("read", func(t *testing.T) {
		got, version, err := read(plain, uri)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(object, got))
		assert.Empty(t, version)
	})
	t.Run("empty", func(t *testing.T) {
		got, _, err := read(plain, "s3://acme/pilots/empty.jsonl")
		require.NoError(t, err)
		assert.Empty(t, got)
	})
	t.Run("absent", func(t *testing.T) {
		_, _, err := read(plain, "s3://acme/pilots/b.jsonl")
		require.ErrorIs(t, err, bytestore.ErrAbsent)
		_, _, err = read(key("none", "made-up-key"), "s3://none/b.jsonl")
		require.ErrorIs(t, err, bytestore.ErrAbsent)
	})
	t.Run("refused", func(t *testing.T) {
		_, _, err := read(key("acme", "another"), uri)
		require.ErrorIs(t, err, bytestore.ErrRefused)
	})
	t.Run("versions", func(t *testing.T) {
		_, first, err := read(kept, "s3://versioned/a.jsonl")
		require.NoError(t, err)
		put(t, c, "versioned", "a.jsonl", []byte("another"))
		got, second, err := read(kept, "s3://versioned/a.jsonl")
		require.NoError(t, err)
		assert.Equal(t, "another", string(got))
		assert.NotEmpty(t, first)
		assert.NotEqual(t, first, second)
	})
}
