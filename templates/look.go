package templates

import (
	"fmt"
	"strings"
)

// The one palette of bulletin, workbook and portal. A page's style and script
// get it from here (LookCSS); the workbook's styles name it.
const (
	InkColor    = "#1f2430" // text
	MutedColor  = "#5b6472" // notes; 5.9:1 on white
	LineColor   = "#d9dee5" // hairlines
	GridColor   = "#eceff3" // lines of a scale
	AccentColor = "#a4161a" // the rule under the title, and what is bad
	BlueColor   = "#2f5d8a" // marks
	PaleColor   = "#c5d2de" // the second of a pair: the previous month, the range of others
	GoodColor   = "#1f7a4d" // a real improvement
	MarkColor   = "#fff4d6" // the row of the chosen unit
)

// SeriesColors tell up to eight lines apart, also for colour-blind readers
// (after Okabe and Ito, darkened for white ground); shape and dash say it again
// in black and white.
var SeriesColors = [...]string{"#2f5d8a", "#b5560f", "#1f7a4d", "#8a4f7d", "#4a4a4a", "#1b7f9c", "#8a6d00", "#a4161a"}

// TypeSizes are the four sizes in px at screen size: title, section, text,
// note. A point of the workbook is 0.75 px.
var TypeSizes = [...]float64{25, 15.5, 13.5, 12}

// Spaces are the steps between things in px.
var Spaces = [...]int{4, 8, 12, 18, 28, 44}

// Families of type, with what offices and other systems have instead.
const (
	SansFamily  = `"Noto Sans CJK SC","Source Han Sans SC","PingFang SC","Microsoft YaHei","微软雅黑","Hiragino Sans GB",sans-serif`
	TitleFamily = `"Noto Serif CJK SC","Source Han Serif SC","方正小标宋简体","FZXiaoBiaoSong-B05S","STZhongsong","华文中宋","SimSun","宋体",serif`
	// FangFamily is the 仿宋 that GB/T 9704 asks of a document's text.
	FangFamily = `"仿宋_GB2312","FangSong_GB2312","仿宋","FangSong","STFangsong","华文仿宋","Noto Serif CJK SC","SimSun",serif`
	HeiFamily  = `"黑体","SimHei","STHeiti",` + SansFamily
	KaiFamily  = `"楷体_GB2312","楷体","KaiTi","STKaiti",` + TitleFamily
)

// HeatColors are the steps of the heat scale, light to dark, readable in grey.
var HeatColors = [...]string{"#f3f6f9", "#dde6ee", "#c5d3e0", "#a9bfd3", "#88a6c2", "#54799f", "#3d6a96", "#2a5480"}

// HeatFloor is where the scale begins, HeatWidth the points of a step: scores
// lie between 80 and 100, and what is below is as light as can be.
const (
	HeatFloor = 80.0
	HeatWidth = 2.5
)

// HeatStep returns the step of a score.
func HeatStep(value float64) int {
	return max(0, min(int((value-HeatFloor)/HeatWidth), len(HeatColors)-1))
}

// IsDarkStep says where white text has more contrast than dark: 4.5 at least.
func IsDarkStep(step int) bool { return step >= 5 }

// LookCSS gives palette, type and spaces to the style sheet as its variables.
func LookCSS() string {
	var css strings.Builder
	css.WriteString(":root{")
	for _, v := range [][2]string{
		{"ink", InkColor}, {"muted", MutedColor}, {"line", LineColor}, {"grid", GridColor}, {"accent", AccentColor},
		{"blue", BlueColor}, {"pale", PaleColor}, {"good", GoodColor}, {"mark", MarkColor},
		{"sans", SansFamily}, {"title", TitleFamily}, {"fang", FangFamily}, {"hei", HeiFamily}, {"kai", KaiFamily},
	} {
		fmt.Fprintf(&css, "--%s:%s;", v[0], v[1])
	}
	for i, size := range TypeSizes {
		fmt.Fprintf(&css, "--t%d:%gpx;", i+1, size)
	}
	for i, space := range Spaces {
		fmt.Fprintf(&css, "--s%d:%dpx;", i+1, space)
	}
	css.WriteString("}\n")
	for i, color := range HeatColors {
		text := InkColor
		if IsDarkStep(i) {
			text = "#fff"
		}
		fmt.Fprintf(&css, ".h%d{background:%s;color:%s}\n", i, color, text)
	}
	return css.String()
}

// StackColors are the nine lines in a stack: neighbours differ in lightness,
// so that they are told apart in grey.
var StackColors = [...]string{"#2a5480", "#a9bfd3", "#54799f", "#dde6ee", "#3d6a96", "#c5d3e0", "#5b6472", "#d9dee5", "#2f5d8a"}
