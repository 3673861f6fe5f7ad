package reports

import (
	"fmt"
	"strings"
)

// The one palette of page and workbook. The page's style and script get it
// from here (lookCSS, chartData); the workbook's styles name it directly.
const (
	inkColor    = "#1f2430" // text
	mutedColor  = "#5b6472" // notes; 5.9:1 on white
	lineColor   = "#d9dee5" // hairlines
	gridColor   = "#eceff3" // lines of a scale
	accentColor = "#a4161a" // the rule under the title, and what is bad
	blueColor   = "#2f5d8a" // marks
	paleColor   = "#c5d2de" // the second of a pair: the previous month, the range of others
	goodColor   = "#1f7a4d" // a real improvement
	markColor   = "#fff4d6" // the row of the chosen unit
)

// seriesColors tell up to eight lines apart, also for colour-blind readers
// (after Okabe and Ito, darkened for white ground); shape and dash say it again
// in black and white.
var seriesColors = [...]string{"#2f5d8a", "#b5560f", "#1f7a4d", "#8a4f7d", "#4a4a4a", "#1b7f9c", "#8a6d00", "#a4161a"}

// typeSizes are the four sizes in px at screen size: title, section, text,
// note. A point of the workbook is 0.75 px.
var typeSizes = [...]float64{25, 15.5, 13.5, 12}

// spaces are the steps between things in px.
var spaces = [...]int{4, 8, 12, 18, 28, 44}

// Families of type, with what offices and other systems have instead.
const (
	sansFamily  = `"Noto Sans CJK SC","Source Han Sans SC","PingFang SC","Microsoft YaHei","微软雅黑","Hiragino Sans GB",sans-serif`
	titleFamily = `"Noto Serif CJK SC","Source Han Serif SC","方正小标宋简体","FZXiaoBiaoSong-B05S","STZhongsong","华文中宋","SimSun","宋体",serif`
	// fangFamily is the 仿宋 that GB/T 9704 asks of a document's text.
	fangFamily = `"仿宋_GB2312","FangSong_GB2312","仿宋","FangSong","STFangsong","华文仿宋","Noto Serif CJK SC","SimSun",serif`
	heiFamily  = `"黑体","SimHei","STHeiti",` + sansFamily
	kaiFamily  = `"楷体_GB2312","楷体","KaiTi","STKaiti",` + titleFamily
)

// heatColors are the steps of the heat scale, light to dark, readable in grey.
var heatColors = [...]string{"#f3f6f9", "#dde6ee", "#c5d3e0", "#a9bfd3", "#88a6c2", "#54799f", "#3d6a96", "#2a5480"}

// heatFloor is where the scale begins, heatWidth the points of a step: scores
// lie between 80 and 100, and what is below is as light as can be.
const (
	heatFloor = 80.0
	heatWidth = 2.5
)

// heatStep returns the step of a score.
func heatStep(value float64) int {
	return max(0, min(int((value-heatFloor)/heatWidth), len(heatColors)-1))
}

// isDarkStep says where white text has more contrast than dark: 4.5 at least.
func isDarkStep(step int) bool { return step >= 5 }

// lookCSS gives palette, type and spaces to the style sheet as its variables.
func lookCSS() string {
	var css strings.Builder
	css.WriteString(":root{")
	for _, v := range [][2]string{
		{"ink", inkColor}, {"muted", mutedColor}, {"line", lineColor}, {"grid", gridColor}, {"accent", accentColor},
		{"blue", blueColor}, {"pale", paleColor}, {"good", goodColor}, {"mark", markColor},
		{"sans", sansFamily}, {"title", titleFamily}, {"fang", fangFamily}, {"hei", heiFamily}, {"kai", kaiFamily},
	} {
		fmt.Fprintf(&css, "--%s:%s;", v[0], v[1])
	}
	for i, size := range typeSizes {
		fmt.Fprintf(&css, "--t%d:%gpx;", i+1, size)
	}
	for i, space := range spaces {
		fmt.Fprintf(&css, "--s%d:%dpx;", i+1, space)
	}
	css.WriteString("}\n")
	for i, color := range heatColors {
		text := inkColor
		if isDarkStep(i) {
			text = "#fff"
		}
		fmt.Fprintf(&css, ".h%d{background:%s;color:%s}\n", i, color, text)
	}
	return css.String()
}

// stackColors are the nine lines in a stack: neighbours differ in lightness,
// so that they are told apart in grey.
var stackColors = [...]string{"#2a5480", "#a9bfd3", "#54799f", "#dde6ee", "#3d6a96", "#c5d3e0", "#5b6472", "#d9dee5", "#2f5d8a"}
