import com.google.gson.JsonObject;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import org.apache.avro.Protocol;
import org.apache.avro.generic.GenericData;
import org.apache.avro.ipc.generic.GenericRequestor;
import org.apache.avro.ipc.netty.NettyTransceiver;
import org.apache.flume.source.avro.AvroSourceProtocol;

/** An Avro client whose protocol is Flume's but for its documentation, so that no server knows its hash. */
final class Stranger {
  private Stranger() {}

  /** With: host and port of 127.0.0.1; Avro knows a server by both. Asks for the server's protocol, which is a ping, and appends one event. */
  static Object run(JsonObject with) throws Exception {
    Protocol known = AvroSourceProtocol.PROTOCOL;
    Protocol mine = new Protocol(known.getName(), "A stranger.", known.getNamespace());
    mine.setTypes(known.getTypes());
    mine.getMessages().putAll(known.getMessages());
    NettyTransceiver transceiver =
        new NettyTransceiver(new InetSocketAddress(with.get("host").getAsString(), with.get("port").getAsInt()));
    try {
      GenericRequestor requestor = new GenericRequestor(mine, transceiver);
      if (!requestor.getRemote().equals(known)) throw new IllegalStateException("another protocol");
      GenericData.Record event = new GenericData.Record(mine.getType("org.apache.flume.source.avro.AvroFlumeEvent"));
      event.put("headers", Collections.singletonMap("k", "v"));
      event.put("body", ByteBuffer.wrap("stranger".getBytes(StandardCharsets.UTF_8)));
      GenericData.Record request = new GenericData.Record(mine.getMessages().get("append").getRequest());
      request.put("event", event);
      Object status = requestor.request("append", request);
      if (!status.toString().equals("OK")) throw new IllegalStateException(status.toString());
    } finally {
      transceiver.close();
    }
    return true;
  }
}
