package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
)

// progress shows a bar a step, only on a terminal.
type progress struct {
	out  io.Writer
	bar  *progressbar.ProgressBar
	step string
}

func newProgress(out io.Writer) *progress {
	file, isFile := out.(*os.File)
	if !isFile {
		return &progress{}
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return &progress{out: out}
}

func (p *progress) show(step string, done, total int) {
	if p.out == nil {
		return
	}
	if p.bar == nil || p.step != step {
		p.step = step
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(step),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(),
			progressbar.OptionEnableColorCodes(os.Getenv("NO_COLOR") == ""))
	}
	_ = p.bar.Set(done)
}
