//! Java archives from Maven, fetched once into the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::directory::{create, remove, write};
use super::error::run_to_end;
use super::{FileLock, HarnessError, harness_directory, say};

/// The plugin that copies and unpacks artifacts. An old release on purpose: later ones first read the artifact's own
/// pom and its parents, which Apicurio does not publish for every version.
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:2.8";

/// The file that marks a complete directory: what it was made from.
const RECIPE: &str = "recipe.txt";

/// Something to fetch, with every version pinned.
#[derive(Debug)]
pub(crate) struct Package {
    /// As in the name of its directory.
    pub(crate) name: &'static str,
    /// As in the name of its directory.
    pub(crate) version: &'static str,
    /// `group:artifact:version` of what the class path starts from; everything they depend on comes along.
    pub(crate) dependencies: &'static [&'static str],
    /// The goal of the dependency plugin, with its arguments; it writes below the directory it runs in.
    pub(crate) goal: &'static [&'static str],
}

impl Package {
    /// The directory with the package, after fetching it if it is not there yet.
    pub(crate) fn fetch(&self) -> Result<PathBuf, HarnessError> {
        let harness = harness_directory()?;
        let directory = harness.join(format!("{}-{}", self.name, self.version));
        let _lock = FileLock::exclusive(&harness.join(format!("{}.lock", self.name)))?;
        let recipe = self.recipe();
        if std::fs::read_to_string(directory.join(RECIPE)).is_ok_and(|fetched| fetched == recipe) {
            return Ok(directory);
        }
        if Command::new("mvn").arg("--version").output().is_err() {
            return Err(HarnessError::Unavailable("Maven (`mvn`) is not installed".to_owned()));
        }
        // Never half a package under the final name, whenever this process is killed.
        let unfinished = harness.join(format!("{}-{}.part", self.name, self.version));
        remove(&unfinished)?;
        create(&unfinished)?;
        self.run_maven(&unfinished)?;
        write(&unfinished.join(RECIPE), &recipe)?;
        remove(&directory)?;
        std::fs::rename(&unfinished, &directory)
            .map_err(HarnessError::io(format!("renaming {}", unfinished.display())))?;
        Ok(directory)
    }

    fn run_maven(&self, directory: &Path) -> Result<(), HarnessError> {
        say(&format!("fetching {} {} with Maven, once ...", self.name, self.version));
        write(&directory.join("pom.xml"), &self.pom())?;
        let mut command = Command::new("mvn");
        command.args(["--batch-mode", "--quiet"]).arg(format!("{PLUGIN}:{}", self.goal[0])).args(&self.goal[1..]);
        run_to_end(&format!("fetching {} {} with Maven", self.name, self.version), command.current_dir(directory))?;
        Ok(())
    }

    /// All that decides what the directory holds: if it changes, the package is fetched again.
    fn recipe(&self) -> String {
        format!("{PLUGIN}:{}\n{}", self.goal.join(" "), self.pom())
    }

    fn pom(&self) -> String {
        let dependencies: String = self.dependencies.iter().map(|coordinates| dependency(coordinates)).collect();
        format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">
  <modelVersion>4.0.0</modelVersion>
  <groupId>headwater.tests</groupId>
  <artifactId>{}</artifactId>
  <version>{}</version>
  <packaging>pom</packaging>
  <dependencies>
{dependencies}  </dependencies>
</project>
",
            self.name, self.version
        )
    }
}

fn dependency(coordinates: &str) -> String {
    let mut parts = coordinates.split(':');
    let mut next = || parts.next().unwrap_or_default();
    let (group, artifact, version) = (next(), next(), next());
    format!(
        "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
         <version>{version}</version></dependency>\n"
    )
}
