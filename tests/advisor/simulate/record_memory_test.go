// Records what Ollama's own scheduler does with random requests on a GPU of 10 GB.
//
// Put it into server/ of Ollama's source (0.34.0), whose mocks it uses, and there:
//
//	RECORD_INTO=ollama_memory.json go test ./server -run TestRecordMemory
package server

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ollama/ollama/api"
	"github.com/ollama/ollama/format"
	"github.com/ollama/ollama/fs/ggml"
	"github.com/ollama/ollama/llm"
	"github.com/ollama/ollama/ml"
)

const (
	schedules = 8
	models    = 6
	requests  = 25
	gpuBytes  = 10 * format.GigaByte
)

type recorded struct {
	Sizes map[string]uint64 `json:"sizes"`
	Steps [][]any           `json:"steps"`
}

func TestRecordMemory(t *testing.T) {
	t.Setenv("OLLAMA_MAX_LOADED_MODELS", "4")
	all := []recorded{}
	for seed := range schedules {
		all = append(all, record(t, rand.New(rand.NewSource(int64(seed)))))
	}
	written, _ := json.Marshal(map[string]any{"schedules": all})
	require.NoError(t, os.WriteFile(os.Getenv("RECORD_INTO"), written, 0o644))
}

func record(t *testing.T, chance *rand.Rand) recorded {
	ctx, done := context.WithCancel(t.Context())
	defer done()
	gpu := ml.DeviceInfo{DeviceID: ml.DeviceID{Library: "Metal"}}
	gpu.TotalMemory, gpu.FreeMemory = gpuBytes, gpuBytes
	s := InitScheduler(ctx)
	s.getGpuFn = func(context.Context, []ml.FilteredRunnerDiscovery) []ml.DeviceInfo {
		return []ml.DeviceInfo{gpu}
	}
	s.getSystemInfoFn = getSystemInfoFn

	byPath, paths := map[string]*reqBundle{}, []string{}
	sizes := map[string]uint64{}
	for range models {
		bytes := uint64((0.37 + 8.2*chance.Float64()*chance.Float64()) * 1e9)
		bundle := newScenarioRequest(t, ctx, "m", bytes, nil, map[ml.DeviceID]uint64{gpu.DeviceID: bytes})
		path := bundle.req.model.ModelPath
		require.NoError(t, os.Truncate(path, int64(bytes))) // what is predicted is the file's size
		byPath[path], sizes[path] = bundle, bytes
		paths = append(paths, path)
	}
	sort.Strings(paths) // by which equals are evicted
	names, told := map[string]string{}, recorded{Sizes: map[string]uint64{}}
	for n, path := range paths {
		names[path] = fmt.Sprint("m", n)
		told.Sizes[names[path]] = sizes[path]
	}
	s.newServerFn = func(_ ml.SystemInfo, _ []ml.DeviceInfo, path string, _ *ggml.GGML, _ []string, _ []string, _ api.Options, _ int, _ llm.LlamaServerConfig) (llm.LlamaServer, error) {
		byPath[path].srv.modelPath = path
		return byPath[path].srv, nil
	}
	s.Run(ctx)
	for range requests {
		path, hours := paths[chance.Intn(len(paths))], 1+chance.Intn(3)
		asked, end := context.WithCancel(ctx)
		keep := &api.Duration{Duration: time.Duration(hours) * time.Hour}
		served, failed := s.getRunner(asked, byPath[path].req.model, api.DefaultOptions(), keep, false, false, nil)
		select {
		case <-served:
		case err := <-failed:
			t.Fatal(err)
		}
		end()
		time.Sleep(15 * time.Millisecond) // for the end to be taken in
		s.loadedMu.Lock()
		loaded := []string{}
		for path := range s.loaded {
			loaded = append(loaded, names[path])
		}
		s.loadedMu.Unlock()
		sort.Strings(loaded)
		told.Steps = append(told.Steps, []any{names[path], hours, strings.Join(loaded, " ")})
	}
	return told
}
