package backup

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

var (
	admin = os.Getenv("OCP_MOCK_ADMIN_URL")
	list  = os.Getenv("OCP_URL") + "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks"
)

func control(t *testing.T, call, body string) {
	t.Helper()
	answer, err := http.Post(admin+call, "application/json", strings.NewReader(body))
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatal(call, answer, err)
	}
	answer.Body.Close()
}

func ask(t *testing.T, query string) *http.Response {
	t.Helper()
	request, err := http.NewRequest("GET", list+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("admin", "secret")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func TestFailedBackupsAreFound(t *testing.T) {
	control(t, "/reset", "")
	var envelope struct {
		Data struct{ Page struct{ TotalElements int } }
	}
	if err := json.NewDecoder(ask(t, "?status=FAILED").Body).Decode(&envelope); err != nil {
		t.Fatal(err)
	}
	if envelope.Data.Page.TotalElements != 3 {
		t.Error("there are", envelope.Data.Page.TotalElements)
	}
}

func TestAnOutagePasses(t *testing.T) {
	control(t, "/reset", "")
	control(t, "/faults", `{"times":1,"action":{"status":503}}`)
	for _, wanted := range []int{503, 200} {
		if got := ask(t, "").StatusCode; got != wanted {
			t.Error("answered with", got, "in place of", wanted)
		}
	}
}
