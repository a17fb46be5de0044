import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * Applies Kafka Connect's own transforms, without schemas, to the cases of a file, and prints one line of JSON for each:
 * what comes out, or {"error": ...}, or {"dropped": true}.
 */
public class Transforms {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonConverter JSON = new JsonConverter();

    public static void main(String[] arguments) throws Exception {
        JSON.configure(Map.of("schemas.enable", "false"), false);
        for (JsonNode testCase : MAPPER.readTree(new File(arguments[0]))) {
            ObjectNode outcome;
            try {
                outcome = outcome(testCase);
            } catch (Exception error) {
                outcome = MAPPER.createObjectNode().put("error", error.toString());
            }
            System.out.println(MAPPER.writeValueAsString(outcome));
        }
    }

    private static ObjectNode outcome(JsonNode testCase) throws Exception {
        JsonNode config = testCase.get("config");
        JsonNode sent = testCase.get("value");
        Long timestamp = sent.hasNonNull("at") ? sent.get("at").longValue() : null;
        String key = sent.hasNonNull("key") ? sent.get("key").asText() : null;
        SchemaAndValue value = JSON.toConnectData("t", MAPPER.writeValueAsBytes(sent));
        SourceRecord record =
            new SourceRecord(null, null, "records", null, null, key, null, value.value(), timestamp);
        for (String name : config.get("transforms").asText().split(",")) {
            String prefix = "transforms." + name + ".";
            Map<String, String> properties = properties(config, prefix);
            String predicateName = properties.remove("predicate");
            boolean negate = Boolean.parseBoolean(properties.remove("negate"));
            Transformation<SourceRecord> transform = make(properties);
            transform.configure(properties);
            if (predicateName != null) {
                Map<String, String> ofPredicate = properties(config, "predicates." + predicateName + ".");
                Predicate<SourceRecord> predicate = make(ofPredicate);
                predicate.configure(ofPredicate);
                if (predicate.test(record) == negate) {
                    continue;
                }
            }
            record = transform.apply(record);
            if (record == null) {
                return MAPPER.createObjectNode().put("dropped", true);
            }
        }
        ObjectNode outcome = MAPPER.createObjectNode();
        outcome.put("topic", record.topic());
        outcome.set("key", plain(record.key()));
        outcome.set("value", plain(record.value()));
        ObjectNode headers = MAPPER.createObjectNode();
        SimpleHeaderConverter converter = new SimpleHeaderConverter();
        for (Header header : record.headers()) {
            byte[] bytes = converter.fromConnectHeader(record.topic(), header.key(), header.schema(), header.value());
            headers.put(header.key(), bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8));
        }
        outcome.set("headers", headers);
        return outcome;
    }

    private static Map<String, String> properties(JsonNode config, String prefix) {
        Map<String, String> properties = new HashMap<>();
        config.fields().forEachRemaining(entry -> {
            if (entry.getKey().startsWith(prefix)) {
                properties.put(entry.getKey().substring(prefix.length()), entry.getValue().asText());
            }
        });
        return properties;
    }

    @SuppressWarnings("unchecked")
    private static <T> T make(Map<String, String> properties) throws Exception {
        return (T) Class.forName(properties.remove("type")).getDeclaredConstructor().newInstance();
    }

    /** JSON, and times in milliseconds. */
    private static JsonNode plain(Object value) {
        if (value instanceof Date) {
            return MAPPER.getNodeFactory().numberNode(((Date) value).getTime());
        }
        if (value instanceof Map) {
            ObjectNode object = MAPPER.createObjectNode();
            ((Map<?, ?>) value).forEach((name, member) -> object.set((String) name, plain(member)));
            return object;
        }
        if (value instanceof List) {
            ArrayNode array = MAPPER.createArrayNode();
            ((List<?>) value).forEach(item -> array.add(plain(item)));
            return array;
        }
        return MAPPER.valueToTree(value);
    }
}
