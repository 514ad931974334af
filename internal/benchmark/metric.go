package benchmark

import (
	"strings"
	"unicode"
)

// The canonical metric names, as the dataset and the runner write them.
const (
	Coverage        = "coverage"
	Accuracy        = "accuracy"
	Coherence       = "coherence"
	Informativeness = "informativeness"
	Latency         = "latency_seconds"
)

// Metrics lists the canonical names in the order that people know.
func Metrics() []string {
	return []string{Coverage, Accuracy, Coherence, Informativeness, Latency}
}

// Known tells whether a name is canonical.
func Known(metric string) bool {
	switch metric {
	case Coverage, Accuracy, Coherence, Informativeness, Latency:
		return true
	}
	return false
}

// DirectionOf tells which values of a canonical metric are good.
func DirectionOf(metric string) Direction {
	switch metric {
	case Latency:
		return Lower
	case Coverage, Accuracy, Coherence, Informativeness:
		return Higher
	}
	return ""
}

// metricWords are the words by which plans name metrics. A name is one of them
// with at most a statistic and filler words beside it.
var metricWords = map[string]string{
	"coverage": Coverage, "cov": Coverage, "покрытие": Coverage, "покрытия": Coverage, "полноты": Coverage, "полнота": Coverage, "охват": Coverage,
	"accuracy": Accuracy, "acc": Accuracy, "точность": Accuracy, "точности": Accuracy, "достоверность": Accuracy,
	"coherence": Coherence, "coh": Coherence, "связность": Coherence, "связности": Coherence, "когерентность": Coherence,
	"informativeness": Informativeness, "информативность": Informativeness, "информативности": Informativeness,
	"latency": Latency, "задержка": Latency, "задержки": Latency, "латентность": Latency, "латентности": Latency, "отклика": Latency, "ответа": Latency,
}

var statisticWords = map[string]string{
	"p95": P95, "р95": P95, "95p": P95, "95th": P95, "95й": P95, // the second p is Cyrillic
	"avg": Avg, "average": Avg, "средняя": Avg, "среднее": Avg, "средний": Avg,
	"mean": Mean,
}

// fillerWords say nothing that the metric does not.
var fillerWords = map[string]bool{
	"score": true, "seconds": true, "second": true, "sec": true, "s": true, "с": true, "сек": true, "секунд": true, "секунды": true,
	"время": true, "percentile": true, "перцентиль": true, "й": true, "metric": true, "метрика": true,
}

// maxMetricName is the longest text in bytes that may name a metric.
const maxMetricName = 100

// ParseMetricName reads a metric's name as plans, results and dashboards write
// it, in English or Russian: "Latency (P95)", "coverage score", "Задержка,
// среднее". The statistic is empty where the text states none. Not ok: no
// metric, two metrics, or a word that is neither metric nor statistic.
func ParseMetricName(text string) (name, statistic string, ok bool) {
	if len(text) > maxMetricName {
		return "", "", false
	}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for i := 0; i < len(words); i++ {
		word := words[i]
		if m, is := metricWords[word]; is {
			if name != "" && name != m {
				return "", "", false
			}
			name = m
			continue
		}
		s, is := statisticWords[word]
		if !is && (word == "p" || word == "95") { // "P-95", "95 percentile", "95-й перцентиль"
			if i+1 < len(words) && word == "p" && words[i+1] == "95" {
				i++
				s, is = P95, true
			} else if word == "95" {
				s, is = P95, true
			}
		}
		switch {
		case is && (statistic == "" || statistic == s):
			statistic = s
		case is, !fillerWords[word]:
			return "", "", false
		}
	}
	return name, statistic, name != ""
}
