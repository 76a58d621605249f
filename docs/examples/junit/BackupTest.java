import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BackupTest {
  static final String ADMIN = System.getenv("OCP_MOCK_ADMIN_URL");
  static final String LIST =
      System.getenv("OCP_URL") + "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks";

  final HttpClient client = HttpClient.newHttpClient();

  void control(String call, String body) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(ADMIN + call)).POST(BodyPublishers.ofString(body)).build();
    assertEquals(2, client.send(request, BodyHandlers.discarding()).statusCode() / 100);
  }

  HttpResponse<String> ask(String query) throws Exception {
    String credentials = Base64.getEncoder().encodeToString("admin:secret".getBytes());
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(LIST + query)).header("Authorization", "Basic " + credentials).build();
    return client.send(request, BodyHandlers.ofString());
  }

  @BeforeEach
  void reset() throws Exception {
    control("/reset", "");
  }

  @Test
  void failedBackupsAreFound() throws Exception {
    assertTrue(ask("?status=FAILED").body().contains("\"totalElements\":3,"));
  }

  @Test
  void anOutagePasses() throws Exception {
    control("/faults", "{\"times\":1,\"action\":{\"status\":503}}");
    assertEquals(503, ask("").statusCode());
    assertEquals(200, ask("").statusCode());
  }
}
