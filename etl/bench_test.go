package etl

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// bigBook writes a workbook of so many rows and 20 columns, as an export of a
// year's tickets is: dates as numbers, texts shared or not.
func bigBook(b *testing.B, rows int) string {
	b.Helper()
	var sheet, shared bytes.Buffer
	sheet.WriteString(head)
	for row := 2; row < rows+2; row++ {
		fmt.Fprintf(&sheet, `<row r="%d"><c r="A%[1]d" t="inlineStr"><is><t>GD%010[1]d</t></is></c><c r="B%[1]d" s="1"><v>%[2]d.%06[3]d</v></c><c r="C%[1]d"><v>%[4]d</v></c>`, row, 46000+row%300, row%999_983, row%7)
		for column := 'D'; column <= 'T'; column++ {
			fmt.Fprintf(&sheet, `<c r="%c%d" s="1" t="s"><v>%d</v></c>`, column, row, row%5000)
		}
		sheet.WriteString("</row>")
	}
	sheet.WriteString(tail)
	shared.WriteString("<sst>")
	for i := range 5000 {
		fmt.Fprintf(&shared, "<si><t>东湖社区第%d网格楼道堆放杂物，居民多次反映</t></si>", i)
	}
	shared.WriteString("</sst>")
	path := filepath.Join(b.TempDir(), "工单.xlsx")
	if err := os.WriteFile(path, []byte(bookOf(b, sheet.String(), "xl/sharedStrings.xml", shared.String())), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkXLSX stages a sheet of 200,000 rows and 20 columns and reports
// rows per second and the peak of the Go heap.
func BenchmarkXLSX(b *testing.B) {
	const rows = 200_000
	path := bigBook(b, rows)
	d := parse(b, bookSource)
	debug.FreeOSMemory() // what writing the workbook took
	b.ResetTimer()
	for range b.N {
		peak := watchMemory(b)
		started := time.Now()
		st, err := d.readXLSX(path, b.TempDir())
		if err != nil || st.records != rows {
			b.Fatalf("%d rows, %v", st.records, err)
		}
		b.ReportMetric(rows/time.Since(started).Seconds(), "rows/s")
		b.ReportMetric(float64(peak())/(1<<20), "peak-MiB")
	}
}

// watchMemory samples the memory that Go holds until the answer is asked for.
func watchMemory(b *testing.B) func() uint64 {
	b.Helper()
	var most atomic.Uint64
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			most.Store(max(most.Load(), stats.Sys-stats.HeapReleased))
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-stopped
		return most.Load()
	}
}

// BenchmarkDecodeGB18030 compares a file of GB18030 in which the library's
// decoder is enough with one in which every chunk holds a private-use code.
func BenchmarkDecodeGB18030(b *testing.B) {
	line, err := simplifiedchinese.GB18030.NewEncoder().String("2026-10-01,东湖社区,楼道堆放杂物，居民多次反映,已办结\n")
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{"plain": line, "private": line + "\xaa\xa1"} {
		content := []byte(strings.Repeat(text, 64<<20/len(text)))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			for range b.N {
				if at, err := decode(bytes.NewReader(content), io.Discard, gb18030(false)); err != nil || at >= 0 {
					b.Fatal(at, err)
				}
			}
		})
	}
}
