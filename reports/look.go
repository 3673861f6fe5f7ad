package reports

import "fmt"

// The one palette of page and workbook; bulletin.css has the same under the
// same names, and a test holds them equal.
const (
	inkColor    = "#1f2430" // text
	mutedColor  = "#667085" // notes
	lineColor   = "#d9dee5" // hairlines
	accentColor = "#a4161a" // the rule under the title, and what is bad
	blueColor   = "#2f5d8a" // marks
	paleColor   = "#c5d2de" // the second of a pair
	goodColor   = "#1f7a4d" // a real improvement
)

// heatColors are the steps of the heat scale, light to dark, readable in grey.
var heatColors = [...]string{"#f3f6f9", "#dde6ee", "#c5d3e0", "#a9bfd3", "#88a6c2", "#5f86ab", "#3d6a96", "#2a5480"}

// heatFloor is where the scale begins; a step is five points.
const heatFloor = 60.0

// heatStep returns the step of a score.
func heatStep(value float64) int {
	return max(0, min(int((value-heatFloor)/5), len(heatColors)-1))
}

// isDarkStep says where white text has more contrast than dark.
func isDarkStep(step int) bool { return step >= 5 }

// stackColors are the nine lines in a stack: neighbours differ in lightness,
// so that they are told apart in grey.
var stackColors = [...]string{"#2a5480", "#a9bfd3", "#54799f", "#dde6ee", "#3d6a96", "#c5d3e0", "#667085", "#d9dee5", "#1f2430"}

// seriesColors tell up to eight lines apart.
var seriesColors = [...]string{"#2f5d8a", "#b5560f", "#1f7a4d", "#8a4f7d", "#4a4a4a", "#1b7f9c", "#8a6d00", "#a4161a"}

// isDark says whether white text reads better on a colour.
func isDark(color string) bool {
	var r, g, b int
	if _, err := fmt.Sscanf(color, "#%02x%02x%02x", &r, &g, &b); err != nil {
		return false
	}
	return 299*r+587*g+114*b < 140_000
}
