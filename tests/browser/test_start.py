"""Customers of one's own."""

from pathlib import Path

from playwright.sync_api import Page, expect


def test_customers_come_in_from_a_file(desk: Page, tmp_path: Path):
    file = tmp_path / "customers.csv"
    file.write_text("Account ID,Name,Plan\n" + "".join(f"new-{n},Nora {'Berg' * 20},pro\n" for n in range(1500)) + "x\n")
    desk.get_by_role("link", name="Upload").click()
    desk.get_by_label("A CSV file").set_input_files(file)
    desk.get_by_role("button", name="Upload and look").click()
    expect(desk.get_by_text("can be taken")).to_be_visible()
    desk.get_by_role("button", name="Import").click()
    expect(desk.get_by_text("1500 new, 0 changed, 0 as they were, 1 not taken")).to_be_visible(timeout=30_000)
    with desk.expect_download() as download:
        desk.get_by_role("link", name="What was not taken, and why").click()
    assert "Has 1 columns; the first line names 3." in Path(download.value.path()).read_text()
