import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/** Key and trust stores as Java writes them. */
final class Stores {
  private Stores() {}

  /** With: file, type, password, cert (PEM), and for a key store key (PEM, PKCS#8, RSA). */
  static Object write(JsonObject with) throws Exception {
    char[] password = with.get("password").getAsString().toCharArray();
    Certificate certificate =
        CertificateFactory.getInstance("X.509")
            .generateCertificate(
                new ByteArrayInputStream(
                    with.get("cert").getAsString().getBytes(StandardCharsets.US_ASCII)));
    KeyStore store = KeyStore.getInstance(with.get("type").getAsString());
    store.load(null, null);
    if (with.has("key")) {
      store.setKeyEntry(
          "server", key(with.get("key").getAsString()), password, new Certificate[] {certificate});
    } else {
      store.setCertificateEntry("authority", certificate);
    }
    try (OutputStream out = new FileOutputStream(with.get("file").getAsString())) {
      store.store(out, password);
    }
    return true;
  }

  private static PrivateKey key(String pem) throws Exception {
    String base64 = pem.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
    return KeyFactory.getInstance("RSA")
        .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64)));
  }
}
