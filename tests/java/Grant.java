import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** Grants permissions: arguments are the brokers, and for each user, kind of resource, name, operation. */
public class Grant {
    public static void main(String[] arguments) throws Exception {
        List<AclBinding> bindings = new ArrayList<>();
        for (int at = 1; at < arguments.length; at += 4) {
            ResourceType kind = ResourceType.valueOf(arguments[at + 1]);
            bindings.add(new AclBinding(
                    new ResourcePattern(kind, arguments[at + 2], PatternType.LITERAL),
                    new AccessControlEntry(
                            "User:" + arguments[at],
                            "*",
                            AclOperation.valueOf(arguments[at + 3]),
                            AclPermissionType.ALLOW)));
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", arguments[0]))) {
            admin.createAcls(bindings).all().get();
        }
    }
}
