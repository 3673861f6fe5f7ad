// Package templates holds what bulletin and portal look like and say: page, style,
// script, the chart library, and the words of each locale. It knows nothing of
// the figures.
package templates

import "embed"

// FS holds page/ with bulletin.css and bulletin.js, portal/ with portal.css and
// portal.js (sql.css and sql.js for the SQL page), locale/ with the words of both, and the vendored
// chart library, which `make` brings from npm by its lock file.
//
//go:embed page/*.html bulletin.css bulletin.js portal/*.html portal.css portal.js sql.css sql.js locale/*.json locale/portal/*.json locale/sql/*.json vendor/echarts.min.js
var FS embed.FS
