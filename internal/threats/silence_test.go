package threats

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
	"github.com/pilotgate/pilotgate/internal/webhook"
)

// everything is all that the server said to anybody: at GitHub and in its log.
func (s *stage) everything() map[string]string {
	out := map[string]string{"the log": s.log.String()}
	for _, pr := range s.Repo.PRs() {
		v := pr.View()
		out["pull request "+v.HeadRef] = v.Title + v.Body
		for _, c := range v.Comments {
			if c.Author == s.App.Login() {
				out["comment on "+v.HeadRef] = c.Body
			}
		}
		for _, r := range s.Repo.CheckRuns(v.Head) {
			b, err := json.Marshal(r)
			require.NoError(s.t, err)
			out["check "+r.Name+" on "+v.HeadRef] = string(b)
		}
	}
	for _, i := range s.Repo.Issues() {
		out["issue "+i.Title] = i.Title + i.Body
	}
	for _, c := range s.Repo.Log("main") {
		out["commit message "+c.OID] = c.Message
	}
	for _, ref := range []string{"main"} {
		for _, p := range s.Repo.Files(ref) {
			if p == sample.Signoff || strings.Contains(p, "/evidence/") {
				out[p] = s.file(ref, p)
			}
		}
	}
	for _, pr := range s.ours("report/") {
		head := pr.View().Head
		for _, p := range s.Repo.Files(head) {
			if strings.Contains(p, "_report") {
				out["report"] = s.file(head, p)
			}
		}
	}
	return out
}

func personalData(t *testing.T) {
	// Made up: nobody's number, address, card or key.
	planted := []string{"+7 903 555-01-42", "79035550142", "ivan.petrov@example.com", "4111 1111 1111 1111", "Ivan Petrovich Sidorov", "bearer-7f3a9c"}
	on(t, "in records", func(t *testing.T, s *stage) {
		in := files(s.Story.Pilot())
		lines := strings.Split(string(in[sample.Dataset].Data), "\n")
		var rec map[string]any
		require.NoError(t, json.Unmarshal([]byte(lines[7]), &rec))
		rec["source_text"] = strings.Join(planted, " · ")
		raw, err := json.Marshal(rec)
		require.NoError(t, err)
		lines[7] = string(raw)
		lines = append(lines[:len(lines)-1], `{"sample_id": "`+planted[2]+`", "source_text": 7, "language": "`+planted[0]+`", "unclosed`, "")
		in[sample.Dataset] = fakegithub.Text(strings.Join(lines, "\n"))
		pr := s.request(in)
		assert.Equal(t, "failure", s.check(pr, "pilot/dataset"))
		c, _ := s.Repo.Check(pr.View().Head, "pilot/dataset")
		assert.Contains(t, c.Summary, "PII", "found")
		for where, what := range s.everything() {
			for _, p := range planted {
				assert.NotContains(t, what, p, where)
			}
		}
	})
	on(t, "in an administrator's merge of such records", func(t *testing.T, s *stage) {
		pr := s.request(files(s.Story.Pilot(sample.PhoneNumber)))
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		s.bypassed("merged without approval")
		data := s.file("main", sample.Dataset)
		for _, line := range strings.Split(data, "\n")[7:8] {
			var rec struct {
				Text string `json:"source_text"`
			}
			require.NoError(t, json.Unmarshal([]byte(line), &rec))
			for where, what := range s.everything() {
				assert.NotContains(t, what, rec.Text, where)
			}
		}
	})
}

func secretsInLogs(t *testing.T) {
	on(t, "over a pilot's life, with refusals and outages", func(t *testing.T, s *stage) {
		n := 0
		s.GitHub.Inject(func(r *http.Request) *fakegithub.Failure {
			if n++; n%9 == 0 && n < 300 {
				return &fakegithub.Failure{Status: 502, Body: "upstream " + r.Header.Get("Authorization")}
			}
			return nil
		})
		s.signedOff()
		require.NotEmpty(t, s.log.String()) // kept, like every story's, by keepsSecrets
	}, setting{unjudged: true})
	on(t, "in an error about GitHub's answer to them", func(t *testing.T, s *stage) {
		s.GitHub.Inject(func(r *http.Request) *fakegithub.Failure {
			if strings.HasSuffix(r.URL.Path, "/access_tokens") {
				return &fakegithub.Failure{Status: 401, Body: `{"message":"no ` + r.Header.Get("Authorization") + `"}`}
			}
			return nil
		})
		s.GitHub.RevokeTokens()
		s.Repo.MustCommit(branch, dana, fakegithub.CommitSpec{Message: "Add a pilot", Files: files(s.Story.Pilot()), Author: dana})
		s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: "Pilot", Head: branch})
		s.eventually(func() bool { return strings.Contains(s.log.String(), "not reconciled") })
		s.GitHub.Inject(nil)
		s.settle()
	}, setting{unjudged: true})
}

// keepsSecrets holds against every story that nothing it left behind holds a
// secret: the server's log, and all that GitHub shows.
func (s *stage) keepsSecrets() {
	s.t.Helper()
	said := s.log.String()
	for _, secret := range []string{s.App.Secret(), "ghs_", "eyJhbGciOi", "PRIVATE KEY", "Bearer ", "Authorization"} {
		assert.NotContains(s.t, said, secret, "the log")
	}
	for where, what := range s.everything() {
		assert.NotContains(s.t, what, s.App.Secret(), where)
		assert.NotContains(s.t, what, "ghs_", where)
		assert.NotContains(s.t, what, "PRIVATE KEY", where)
	}
}

func forgedDeliveries(t *testing.T) {
	on(t, "refused, or harmless", func(t *testing.T, s *stage) {
		pr := s.approved()
		var real fakegithub.Delivery
		for _, d := range s.GitHub.Deliveries() {
			if d.Event == "pull_request" {
				real = d
			}
		}
		url := s.Hook()
		post := func(edit func(*http.Request)) int {
			req, err := real.Request(s.ctx, url)
			require.NoError(t, err)
			edit(req)
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			return resp.StatusCode
		}
		s.GitHub.ForgetRequests()
		for name, edit := range map[string]func(*http.Request){
			"unsigned":         func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") },
			"another's secret": func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", fakegithub.Sign("guess", real.Payload)) },
			"SHA-1 only": func(r *http.Request) {
				r.Header.Del("X-Hub-Signature-256")
				r.Header.Set("X-Hub-Signature", "sha1="+strings.Repeat("0", 40))
			},
			"cut signature": func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", real.Signature[:20]) },
		} {
			status := post(edit)
			assert.True(t, status >= 400 && status < 500, "%s: %d", name, status)
		}
		assert.Empty(t, s.GitHub.Requests(), "nothing was looked at")
		assert.Equal(t, http.StatusAccepted, post(func(*http.Request) {}), "a replay")
		s.settle()
		assert.Empty(t, s.written())
		s.shows(pr, "success")
	})
	on(t, "oversized", func(t *testing.T, s *stage) {
		real := s.GitHub.Deliveries()[0]
		s.GitHub.ForgetRequests()
		for name, declared := range map[string]int64{"and says so": 26 << 20, "and does not say so": -1} {
			req, err := real.Request(s.ctx, s.Hook())
			require.NoError(t, err)
			req.Body, req.ContentLength, req.GetBody = io.NopCloser(io.LimitReader(endless{}, 26<<20)), declared, nil
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err, name)
			assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode, name)
			require.NoError(t, resp.Body.Close())
		}
		assert.Empty(t, s.GitHub.Requests(), "nothing was looked at")
	})
	on(t, "slow: they hold up nobody", func(t *testing.T, s *stage) {
		address := strings.TrimSuffix(strings.TrimPrefix(s.Hook(), "http://"), webhook.Path)
		var dialer net.Dialer
		for i := range 300 {
			c, err := dialer.DialContext(s.ctx, "tcp", address)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, c.Close()) })
			head := "POST " + webhook.Path + " HTTP/1.1\r\nHost: pilotgate\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n"
			if i%2 == 0 { // half of them never end their headers, half never their body
				head += "X-Hub-Signature-256: sha256=" + strings.Repeat("0", 64) + "\r\nContent-Length: 26000000\r\n\r\n{"
			}
			_, err = io.WriteString(c, head)
			require.NoError(t, err)
		}
		pr := s.pilot()
		s.approve(pr, irina, oleg)
		s.shows(pr, "success")
	})
}

// lines that pretend to be something else.
var pretending = []string{
	"@acme/everyone", "@torvalds", "![x](https://evil.example/x.png)", "[click](https://evil.example)", "<img src=https://evil.example/x>",
	"<!-- pilotgate:comment -->", "<!-- pilotgate:signed -->", "|a|b|c|", "# Heading", "`code`@torvalds`", "https://evil.example/auto", "</details>",
}

func injection(t *testing.T) {
	on(t, "from plan, branch and title", func(t *testing.T, s *stage) {
		in := files(s.Story.Pilot())
		text := string(in[sample.Plan].Data)
		for i, old := range []string{"- Prompt version: `digest_v3`", "- Training target: `qwen-7b-digest-ru`", "  - Hardware: A100 80GB", "- Optimiser: AdamW", "- Rollback target: `qwen-7b@0.9`", "- Target release: v1.4.0", "- Scenario: `channel_digest_ru`", "- Locale: ru", "- Seed: 42", "- Git commit: this PR"} {
			require.Contains(t, text, old)
			key, _, _ := strings.Cut(old, ":")
			text = strings.Replace(text, old, key+": "+pretending[i%len(pretending)]+" "+strings.Join(pretending, " "), 1)
		}
		in[sample.Plan] = fakegithub.Text(text)
		s.Repo.MustCommit("pilot/<img>@torvalds`|", dana, fakegithub.CommitSpec{Message: "Add\n\n@torvalds", Files: in, Author: dana})
		pr := s.Repo.OpenPR(fakegithub.PRSpec{Author: dana, Title: strings.Join(pretending, " "), Head: "pilot/<img>@torvalds`|"})
		s.settle()
		assert.Equal(t, "failure", s.check(pr, "pilot/plan"))
		s.inert(pr)
		s.writesNothingMore()
	})
	on(t, "from values that pass, into record, log and report", func(t *testing.T, s *stage) {
		in := s.plan("- Training target: `qwen-7b-digest-ru`", "- Training target: qwen @torvalds [x](https://evil.example) <b>|</b>")
		in[sample.Plan] = fakegithub.Text(strings.Replace(string(in[sample.Plan].Data), "A100 80GB", "A100 ![x](https://evil.example/x.png) @torvalds", 1))
		pr := s.request(in)
		s.approve(pr, irina, oleg)
		require.NoError(t, pr.Merge(nina, fakegithub.Squash, true))
		s.settle()
		s.inert(pr)
		for _, p := range s.ours("report/") {
			s.inert(p)
		}
	})
	on(t, "by naming somebody else as initiator", func(_ *testing.T, s *stage) {
		pr := s.request(s.plan("@"+dana, "@torvalds"))
		s.inert(pr)
	})
}

// inert renders all that the server wrote about a pull request as GitHub does
// and asserts that nothing in it is an author's: no mention but the author of
// the pull request and whom it asks, no link elsewhere, no HTML but ours.
func (s *stage) inert(pr *fakegithub.PR) {
	s.t.Helper()
	texts := map[string]string{}
	if c, n := s.Comment(pr); n > 0 {
		texts["comment"] = c
	}
	head := pr.View().Head
	for _, r := range s.Repo.CheckRuns(head) {
		if r.App == "pilotgate" {
			texts["check "+r.Name] = r.Summary
		}
	}
	for _, p := range s.Repo.Files(head) {
		if strings.Contains(p, "_report") {
			texts["report"] = s.file(head, p)
		}
	}
	texts["log"] = s.file("main", sample.Signoff)
	require.NotEmpty(s.t, texts)
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	for where, src := range texts {
		doc := md.Parser().Parse(text.NewReader([]byte(src)))
		columns := 0
		require.NoError(s.t, ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if !entering {
				return ast.WalkContinue, nil
			}
			switch n := n.(type) {
			case *ast.CodeSpan, *ast.FencedCodeBlock:
				return ast.WalkSkipChildren, nil
			case *ast.Image:
				assert.Fail(s.t, "an image", where)
			case *ast.Link:
				d := string(n.Destination)
				ok := strings.HasPrefix(d, "https://github.example/acme/pilots/") || strings.HasPrefix(d, "https://github.com/pilotgate/pilotgate/") || !strings.Contains(d, "://")
				assert.True(s.t, ok, "%s links to %s", where, d)
			case *ast.AutoLink:
				assert.Fail(s.t, "a bare link: "+string(n.URL([]byte(src))), where)
			case *ast.RawHTML, *ast.HTMLBlock:
				s.ourHTML(where, n, src)
			case *east.TableHeader:
				columns = n.ChildCount()
			case *east.TableRow:
				assert.Equal(s.t, columns, n.ChildCount(), "%s: cells of a row", where)
			case *ast.Text:
				for _, word := range strings.FieldsFunc(string(n.Segment.Value([]byte(src))), func(r rune) bool { return strings.ContainsRune(" ,.:;()", r) }) {
					if strings.HasPrefix(word, "@") {
						assert.Contains(s.t, []string{"@" + dana, "@" + irina, "@" + oleg}, word, "%s mentions", where)
					}
				}
			}
			return ast.WalkContinue, nil
		}))
		assert.LessOrEqual(s.t, strings.Count(src, "<!-- pilotgate:comment -->"), 1, where)
		if len(s.rows()) == 0 {
			if len(s.rows()) == 0 {
				assert.NotContains(s.t, src, "<!-- pilotgate:signed -->", where)
			}
		}
	}
}

func (s *stage) ourHTML(where string, n ast.Node, src string) {
	s.t.Helper()
	var raw string
	switch n := n.(type) {
	case *ast.RawHTML:
		raw = string(n.Segments.Value([]byte(src)))
	case *ast.HTMLBlock:
		raw = string(n.Lines().Value([]byte(src)))
	}
	for _, known := range []string{"<!-- pilotgate:", "<!-- /pilotgate:", "<details>", "</details>", "<br>"} {
		if strings.HasPrefix(raw, known) {
			return
		}
	}
	assert.Fail(s.t, "HTML of an author's: "+raw, where)
}
