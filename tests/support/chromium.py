"""A real browser without a window, which opens a page from disk and says what it did."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from debian_packages import install
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

PROGRAMS = {"chromium": "/usr/bin/chromium", "chromedriver": "/usr/bin/chromedriver"}
OPTIONS = ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu")


class Browser:
    """`with Browser() as browser` starts Debian's Chromium and ends it."""

    def __enter__(self) -> "Browser":
        install(list(PROGRAMS), ["chromium", "chromium-driver"])
        options = webdriver.ChromeOptions()
        options.binary_location = PROGRAMS["chromium"]
        for option in (*OPTIONS, "window-size=1280,1000"):
            options.add_argument(f"--{option}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(PROGRAMS["chromedriver"])
        self.driver = webdriver.Chrome(options, service)
        self._said: list[dict[str, Any]] = []
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.quit()

    def open(self, page: Path) -> None:
        """Load a page from disk, and wait until all of it is drawn."""
        self.open_address(page.as_uri())

    def open_address(self, address: str) -> None:
        """Load a page, and wait until all of it is drawn."""
        for log in ("browser", "performance"):
            self.driver.get_log(log)  # what came before is forgotten
        self._said.clear()
        self.driver.get(address)
        self.wait(lambda: self.run("return document.documentElement.dataset.ready"))

    def console(self) -> list[str]:
        """What the page has said on the console, errors too."""
        said = self._listen()
        self._said = []
        return [entry["message"] for entry in said]

    def requests(self) -> list[str]:
        """What the page has loaded or tried to load since it was opened."""
        messages = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def run(self, script: str) -> Any:
        """What a script in the page returns."""
        return self.driver.execute_script(script)

    def wait(self, condition: Callable[[], object], seconds: float = 1200) -> None:
        """Wait until a condition holds; fail at once if a script of the page has failed before.

        A page whose script has failed never comes to it. The limit is for what nothing tells.
        """
        end = time.monotonic() + seconds
        while not condition():
            failed = any(entry["source"] == "javascript" for entry in self._listen())
            assert not failed and time.monotonic() < end, self._describe()
            time.sleep(0.05)

    def _listen(self) -> list[dict[str, Any]]:
        """Return what the page has said since `console` was called; the driver tells it once."""
        self._said += self.driver.get_log("browser")
        return self._said

    def _describe(self) -> str:
        """Return what the page says and shows, with a picture of it, for whom a test failed."""
        picture = Path(tempfile.mkdtemp(prefix="page-"), "page.png")
        self.driver.save_screenshot(str(picture))
        text = self.run("return document.body.innerText.slice(0, 1000)")
        return f"{self.driver.current_url}: {self.console()}; picture: {picture}; it shows: {text}"

    def find(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements that match."""
        return [element.text for element in self.find(selector)]

    def click(self, selector: str, place: int = 0) -> None:
        """Click one of the elements that match, where nothing that stays on top hides it."""
        element = self.find(selector)[place]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def point(self, element: WebElement, x: int, y: int) -> ActionChains:
        """The mouse moved to a place in an element, from its middle."""
        return ActionChains(self.driver).move_to_element_with_offset(element, x, y)
