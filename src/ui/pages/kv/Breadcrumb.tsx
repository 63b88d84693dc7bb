import { Name } from "../../parts/Name.tsx";
import { noQuery } from "../../routes.ts";
import { href } from "../../state/place.ts";
import { words } from "../../text/index.ts";

/** Each folder of a path leads to it; the last one is where one is. */
export function Breadcrumb({ dc, path }: { dc: string; path: string }) {
  const { kv } = words();
  const folders = path.split("/").slice(0, -1);
  const prefixes = folders.map((_, at) => `${folders.slice(0, at + 1).join("/")}/`);
  return (
    <nav class="breadcrumb" aria-label={kv.breadcrumb}>
      <h1>
        {folders.length === 0 ? (
          kv.title
        ) : (
          <>
            <a href={href({ page: "folder", dc, prefix: "", query: noQuery })}>{kv.title}</a>
            {prefixes.map((prefix, at) => (
              <span key={prefix}>
                {" / "}
                {at === prefixes.length - 1 ? (
                  <Name text={folders[at] ?? ""} />
                ) : (
                  <a href={href({ page: "folder", dc, prefix, query: noQuery })}>
                    <Name text={folders[at] ?? ""} />
                  </a>
                )}
              </span>
            ))}
          </>
        )}
      </h1>
    </nav>
  );
}
