// Package templates holds what a bulletin looks like and says: page, style,
// script, the chart library, and the words of each locale. It knows nothing of
// the figures.
package templates

import "embed"

// FS holds page/, bulletin.css, bulletin.js, locale/ and the vendored
// chart library, which `make` brings from npm by its lock file.
//
//go:embed page/*.html bulletin.css bulletin.js locale/*.json vendor/echarts.min.js
var FS embed.FS
