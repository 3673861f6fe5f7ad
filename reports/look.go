package reports

import "tongbao/templates"

// The palette and the type are those of the house; see templates/look.go.
const (
	inkColor    = templates.InkColor
	mutedColor  = templates.MutedColor
	lineColor   = templates.LineColor
	gridColor   = templates.GridColor
	accentColor = templates.AccentColor
	blueColor   = templates.BlueColor
	paleColor   = templates.PaleColor
	goodColor   = templates.GoodColor
)

var (
	seriesColors = templates.SeriesColors
	typeSizes    = templates.TypeSizes
	heatColors   = templates.HeatColors
	stackColors  = templates.StackColors
)
