package ledger_test

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

// GitHub looks for these in the rendered text, outside code.
var (
	mention   = regexp.MustCompile(`(?:^|[^A-Za-z0-9_` + "`" + `])@[A-Za-z0-9][A-Za-z0-9-]*(?:/[A-Za-z0-9._-]+)?`)
	reference = regexp.MustCompile(`(?i)(?:#[0-9]+|\bGH-[0-9]+)`)
	address   = regexp.MustCompile(`(?i)(?:[a-z]+://|\bwww\.)[a-z0-9]`)
)

// assertInert renders Markdown that consists of one heading at most and one table
// with this many rows, and asserts that the values in it brought nothing of their
// own: no block, link, image, HTML, mention, reference or address.
func assertInert(t testing.TB, markdown []byte, rows int, mentions ...string) {
	t.Helper()
	cells := gfmRows(markdown)
	require.Len(t, cells, rows, "rows of the table")
	for _, r := range cells {
		require.Len(t, r, 5, "cells of a row")
	}
	counts, seen := inspect(markdown)
	assert.LessOrEqual(t, counts[ast.KindHeading], 1)
	assertPlain(t, counts)

	got := mention.FindAllString(seen, -1)
	for i := range got {
		got[i] = got[i][bytes.IndexByte([]byte(got[i]), '@'):]
	}
	assert.Equal(t, mentions, got, "mentions in %q", seen)
	for _, ref := range reference.FindAllString(seen, -1) {
		assert.Equal(t, "#41", ref, "a reference in %q", seen)
	}
	assert.NotRegexp(t, address, seen)
}

// assertPlain asserts that nothing but text and code spans stands in the blocks.
func assertPlain(t testing.TB, counts map[ast.NodeKind]int) {
	t.Helper()
	for _, kind := range []ast.NodeKind{
		ast.KindLink, ast.KindImage, ast.KindAutoLink, ast.KindRawHTML, ast.KindHTMLBlock,
		ast.KindBlockquote, ast.KindFencedCodeBlock, ast.KindCodeBlock, ast.KindThematicBreak,
	} {
		assert.Zero(t, counts[kind], "%s", kind)
	}
}

// inspect counts the nodes of a document and gives its text as a reader sees it,
// code left out, blocks on lines of their own.
func inspect(markdown []byte) (map[ast.NodeKind]int, string) {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	counts := map[ast.NodeKind]int{}
	doc := md.Parser().Parse(text.NewReader(markdown))
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			counts[n.Kind()]++
		}
		return ast.WalkContinue, nil
	})
	var out bytes.Buffer
	if err := md.Convert(markdown, &out); err != nil {
		return counts, err.Error()
	}
	page := regexp.MustCompile(`(?s)<code>.*?</code>`).ReplaceAllString(out.String(), "`")
	page = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, "")
	for _, e := range [][2]string{{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", `"`}, {"&amp;", "&"}} {
		page = string(bytes.ReplaceAll([]byte(page), []byte(e[0]), []byte(e[1])))
	}
	return counts, page
}
