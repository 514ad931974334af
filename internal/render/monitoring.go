package render

// Monitoring is a sentence for what watches a released model. Values stand in
// annotations and titles, which are plain text.
func (w *Words) Monitoring(key string, pairs ...string) string {
	return w.say(plain, "monitoring", key, pairs...)
}
