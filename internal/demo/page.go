package demo

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

//go:embed page.html
var pageSource string

var pages = template.Must(template.New("page").Parse(pageSource))

// Page shows the repository as GitHub would, in small: its pull requests with
// checks and comments, its issues, runs and files, as rendered HTML.
func (w *World) Page() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, _ *http.Request) {
		show(rw, "list", map[string]any{"Repo": w.Repo.FullName(), "Pulls": w.pulls(), "Issues": w.Repo.Issues(), "Runs": w.runs(), "Files": w.documents()})
	})
	mux.HandleFunc("GET /issue/{number}", func(rw http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("number"))
		all := w.Repo.Issues()
		i := slices.IndexFunc(all, func(v fakegithub.IssueView) bool { return err == nil && v.Number == n })
		if i < 0 {
			http.NotFound(rw, r)
			return
		}
		show(rw, "issue", map[string]any{"Repo": w.Repo.FullName(), "Issue": all[i], "Body": rendered(all[i].Body), "Comments": remarks(all[i].Comments)})
	})
	mux.HandleFunc("GET /pull/{number}", func(rw http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("number"))
		i := slices.IndexFunc(w.pulls(), func(v fakegithub.View) bool { return err == nil && v.Number == n })
		if i < 0 {
			http.NotFound(rw, r)
			return
		}
		show(rw, "pull", w.pullPage(w.pulls()[i]))
	})
	mux.HandleFunc("GET /file/{path...}", func(rw http.ResponseWriter, r *http.Request) {
		path := r.PathValue("path")
		raw, ok := w.Repo.File(w.Repo.DefaultBranch(), path)
		if !ok {
			http.NotFound(rw, r)
			return
		}
		if strings.HasSuffix(path, ".svg") { // a report's chart
			rw.Header().Set("Content-Type", "image/svg+xml")
			rw.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
			_, _ = rw.Write(raw) //nolint:gosec // an image whose policy lets no script run; the repository is the story's
			return
		}
		data := map[string]any{"Repo": w.Repo.FullName(), "Path": path}
		if strings.HasSuffix(path, ".md") {
			data["HTML"] = rendered(string(raw))
		} else {
			data["Text"] = string(raw)
		}
		show(rw, "file", data)
	})
	return mux
}

func show(rw http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(rw, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'")
	_, _ = rw.Write(b.Bytes())
}

// pulls are the pull requests, newest first.
func (w *World) pulls() []fakegithub.View {
	var out []fakegithub.View
	for _, p := range w.Repo.PRs() {
		out = append(out, p.View())
	}
	slices.SortFunc(out, func(a, b fakegithub.View) int { return b.Number - a.Number })
	return out
}

// documents are the governed files that people would open first.
func (w *World) documents() []string {
	var out []string
	for _, path := range w.Repo.Files(w.Repo.DefaultBranch()) {
		if strings.HasPrefix(path, "docs/") || strings.HasPrefix(path, ".github/") || strings.HasPrefix(path, "models/") || strings.HasPrefix(path, "deploy/") {
			out = append(out, path)
		}
	}
	return out
}

type checkPage struct {
	fakegithub.CheckView
	Sign    string
	Summary template.HTML
}

type remark struct {
	Author string
	HTML   template.HTML
}

func remarks(in []fakegithub.CommentView) []remark {
	var out []remark
	for _, c := range in {
		out = append(out, remark{c.Author, rendered(c.Body)})
	}
	return out
}

// runs are the workflow runs, newest first.
func (w *World) runs() []fakegithub.RunView {
	out := w.Repo.Runs()
	slices.Reverse(out)
	return out
}

func (w *World) pullPage(v fakegithub.View) map[string]any {
	var checks []checkPage
	for _, c := range w.latestChecks(v.Head) {
		sign := "❌"
		switch {
		case c.Status != "completed":
			sign = "⏳"
		case c.Conclusion == "success":
			sign = "✅"
		}
		checks = append(checks, checkPage{c, sign, rendered(c.Summary)})
	}
	return map[string]any{"Repo": w.Repo.FullName(), "Pull": v, "Body": rendered(v.Body), "Comments": remarks(v.Comments), "Checks": checks}
}

var (
	markdown = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	clean    = bluemonday.UGCPolicy()
)

// rendered is Markdown as HTML the way GitHub does it: with tags allowed, and
// what could do harm taken out.
func rendered(source string) template.HTML {
	var b bytes.Buffer
	if err := markdown.Convert([]byte(source), &b); err != nil {
		return template.HTML(template.HTMLEscapeString(source)) //nolint:gosec // escaped
	}
	return template.HTML(clean.SanitizeBytes(b.Bytes())) //nolint:gosec // sanitised
}
