"""Colleagues: invited by mail, signing in with two factors, slowed down when guessing, let go and let back in."""

import re
import time
from base64 import b32decode
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from aiosmtpd.controller import Controller
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.local.mailbox import letters
from config.local.mailbox.sink import Sink
from success import clock, colleagues, lockouts, roles, second_factor
from success.models import Colleague
from tests.factories import StaffFactory
from tests.server import free_port

PASSWORD = "a long enough password"
PEOPLE = "/admin/colleagues/"


@pytest.fixture
def mailbox(settings, tmp_path, monkeypatch):
    """The mail server of a developer's machine, which really takes the mail in."""
    monkeypatch.setattr(letters, "FOLDER", tmp_path / "mail")
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", free_port()
    server = Controller(Sink(), hostname="127.0.0.1", port=settings.EMAIL_PORT)
    server.start()
    yield letters
    server.stop()


def with_role(role, **about):
    user = StaffFactory(**about)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def ada(db, client):
    """An administrator, signed in."""
    ada = with_role(roles.ADMINISTRATOR, username="ada", first_name="Ada")
    client.force_login(ada)
    return ada


@pytest.fixture
def maya(db):
    return with_role(roles.MANAGER, username="maya", first_name="Maya")


def invite(client, address="Olga.Else@example.org", **more):
    form = {"address": address, "first_name": "Olga", "last_name": "Else", "role": roles.MANAGER, **more}
    return client.post(reverse("console:invite"), form, follow=True)


def do(client, user, action):
    return client.post(reverse("console:colleague_act", args=[user.pk, action]), follow=True).text


def links(mailbox):
    """Those in the letters, the latest first."""
    return [re.search(r"http://\S+/welcome/\S+", mailbox.find(name).text)[0].replace("http://127.0.0.1:8000", "") for name in mailbox.names()]


def choose(link, password=PASSWORD):
    """Somebody follows a link in a browser of their own and chooses a password."""
    browser = Client()
    page = browser.get(link, follow=True)
    if page.context["validlink"]:
        page = browser.post(page.redirect_chain[-1][0], {"new_password1": password, "new_password2": password}, follow=True)
    return browser, page


def sign_in(name, password=PASSWORD, **more):
    browser = Client()
    return browser, browser.post(reverse("admin:login"), {"username": name, "password": password, "next": "/admin/"}, **more)


# ---------------------------------------------------------------- invited, let go, let back in


def test_an_invitation_leads_in_once(client, ada, mailbox):
    assert "Olga Else is invited." in invite(client, own_book_only="on").text
    olga = User.objects.get(username="olga.else@example.org")
    [letter] = [mailbox.find(name) for name in mailbox.names()]
    assert letter.message["To"] == "olga.else@example.org" and "Ada invites you" in letter.text and "as success manager" in letter.text
    assert Colleague.objects.get(user=olga).own_book_only
    assert "invited, no password yet" in client.get(PEOPLE).text

    [link] = links(mailbox)
    assert "too short" in choose(link, "short")[1].text  # and the link is still good
    browser, page = choose(link)
    assert page.request["PATH_INFO"] == "/admin/" and "Today" in page.text
    assert browser.get(PEOPLE).status_code == 403
    assert "does not open anything" in choose(link)[1].text
    assert sign_in(olga.username)[1].status_code == 302


def test_a_newer_link_voids_the_older_and_both_end_after_a_week(client, ada, mailbox):
    invite(client)
    olga = User.objects.get(first_name="Olga")
    assert "on its way" in do(client, olga, "invite")
    newer, older = links(mailbox)
    assert "does not open anything" in choose(older)[1].text
    with time_machine.travel(clock.now() + timedelta(days=7, minutes=1)):
        assert "does not open anything" in choose(newer)[1].text
    with time_machine.travel(clock.now() + timedelta(days=6, hours=23)):
        assert "Today" in choose(newer)[1].text


def test_an_invitation_outlives_a_mail_server_that_is_away(client, ada, mailbox, settings):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port()
    page = invite(client)
    assert "The invitation is kept" in page.text and "Invite again" in page.text
    settings.EMAIL_PORT = port
    assert "on its way" in do(client, User.objects.get(first_name="Olga"), "invite")
    assert len(links(mailbox)) == 1


def test_an_address_belongs_to_one(client, ada, mailbox):
    invite(client)
    for address in ("olga.else@example.org", "OLGA.ELSE@EXAMPLE.ORG", ada.email):
        assert "has this address already" in invite(client, address).text
    assert User.objects.count() == 2 and len(mailbox.names()) == 1


def test_who_is_let_go_is_out_at_once_and_comes_back_signed_out(client, ada, maya, mailbox):
    browser, _ = sign_in("maya")
    do(client, maya, "invite")
    [link] = links(mailbox)
    assert browser.get("/admin/").status_code == 200
    assert "signed out everywhere" in do(client, maya, "deactivate")
    assert browser.get("/admin/").headers["Location"].startswith("/admin/login/")
    assert sign_in("maya")[1].status_code == 200
    assert "does not open anything" in choose(link)[1].text
    assert "Let them back in first" in do(client, maya, "invite")
    assert "deactivated" in client.get(PEOPLE).text
    assert "They can sign in again." in do(client, maya, "reactivate")
    assert browser.get("/admin/").headers["Location"].startswith("/admin/login/")
    assert sign_in("maya")[1].status_code == 302
    history = client.get(reverse("console:colleague", args=[maya.pk])).text
    assert history.index("let back in") < history.index("deactivated") < history.index("sent a link")


def test_a_role_is_changed_and_an_administrator_always_left(client, ada, maya):
    url = reverse("console:colleague", args=[maya.pk])
    assert "Saved." in client.post(url, {"role": roles.LEAD, "own_book_only": "on"}, follow=True).text
    assert [group.name for group in maya.groups.all()] == [roles.LEAD] and maya.colleague.own_book_only
    assert "Ask another" in client.post(reverse("console:colleague", args=[ada.pk]), {"role": roles.LEAD}, follow=True).text
    assert "Ask another" in do(client, ada, "deactivate") and User.objects.get(pk=ada.pk).is_active
    for refused in (colleagues.deactivate, partial(colleagues.set_role, role=roles.LEAD, own_book_only=False)):
        with pytest.raises(colleagues.LastAdministrator):
            refused(user=ada, by=maya, at=clock.now())
    root = StaffFactory(is_superuser=True)
    assert colleagues.role_of(root) == roles.ADMINISTRATOR
    colleagues.set_role(user=root, role=roles.MANAGER, own_book_only=False, by=ada, at=clock.now())
    assert not User.objects.get(pk=root.pk).has_perm("auth.change_user")


def test_the_list_says_who_has_what(client, ada, maya, django_assert_max_num_queries):
    second_factor_of(maya)
    for _ in range(5):
        with_role(roles.LEAD)
    with django_assert_max_num_queries(12):
        page = client.get(PEOPLE)
    found = {person.username: (role, person.protected, standing) for person, role, standing in page.context["lines"]}
    assert len(found) == 7 and found["maya"] == (roles.MANAGER, True, "active") and found["ada"] == (roles.ADMINISTRATOR, False, "active")
    assert client.get("/admin/auth/user/").headers["Location"] == PEOPLE
    assert "delete" not in page.text.lower() and client.post(f"/admin/auth/user/{maya.pk}/delete/").status_code == 403


# ---------------------------------------------------------------- my settings


def test_my_time_zone_is_that_of_every_page(client, maya):
    client.force_login(maya)
    assert not Colleague.objects.exists()
    with time_machine.travel("2026-07-01T12:00:00Z", tick=False):
        client.post(reverse("console:me"), {"first_name": "Maya", "last_name": "Lund", "timezone": "Asia/Tokyo", "language": "en-gb"})
        assert Colleague.objects.get(user=maya).timezone == "Asia/Tokyo"
        with_role(roles.ADMINISTRATOR)
        User.objects.filter(pk=maya.pk).update(last_login=clock.now(), is_superuser=True)
        assert "1 Jul, 21:00" in client.get(reverse("console:colleague", args=[maya.pk])).text
    assert "Maya Lund" in client.get(reverse("console:me")).text
    assert "Select a valid choice" in client.post(reverse("console:me"), {"first_name": "Maya", "timezone": "Mars/Olympus"}).text


# ---------------------------------------------------------------- the second factor


def code_of(key, ahead=0):
    """What an app shows, or will show some half minutes later."""
    return f"{totp(bytes.fromhex(key), drift=ahead):06}"


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def second_factor_of(user):
    """A secret and recovery codes, set up some time ago."""
    key = second_factor.new_key()
    _, codes = second_factor.enrol(user=user, key=key, code=code_of(key))
    TOTPDevice.objects.filter(user=user).update(last_t=-1)
    return key, codes


def test_a_second_factor_from_its_picture_to_its_removal(client, maya):
    client.force_login(maya)
    url = reverse("console:enrol")
    page = client.get(url)
    assert "<svg" in page.text and not TOTPDevice.objects.exists()
    key, secret = secret_on(page), page.context["letters"]
    assert secret in page.text
    again = client.post(url, {"key": page.context["signed"], "code": wrong(code_of(key))})
    assert "not right" in again.text and secret in again.text
    page = client.post(url, {"key": page.context["signed"], "code": code_of(key)})
    codes = page.context["codes"]
    assert len(set(codes)) == 10 and all(code in page.text for code in codes)
    assert not StaticToken.objects.filter(token__in=codes).exists(), "they are kept as digests"
    assert client.get(url).status_code == 302, "and not shown again"
    assert "10 recovery codes left" in client.get(reverse("console:me")).text
    assert "not right" in client.post(reverse("console:remove"), {"code": wrong(code_of(key))}).text
    assert "Removed." in client.post(reverse("console:remove"), {"code": codes[0]}, follow=True).text
    assert not second_factor.has_one(maya) and not second_factor.codes_left(maya)


def secret_on(page):
    return b32decode(page.context["letters"]).hex()


def test_a_secret_is_taken_only_from_the_page_it_was_shown_to(client, maya, ada):
    client.force_login(ada)
    signed = (page := client.get(reverse("console:enrol"))).context["signed"]
    client.force_login(maya)
    for key in (signed, "x", signed + "x", ""):
        assert "not right" in client.post(reverse("console:enrol"), {"key": key, "code": code_of(secret_on(page))}).text
    assert not TOTPDevice.objects.exists()


def test_after_the_password_comes_the_code(maya):
    key, codes = second_factor_of(maya)
    browser, answer = sign_in("maya")
    assert answer.status_code == 302
    for url in ("/admin/", "/admin/success/supplier/", reverse("console:me"), reverse("console:enrol"), "/admin/password_change/"):
        assert browser.get(url).headers["Location"].startswith("/admin/code/"), url
        assert browser.post(url).headers["Location"] == "/admin/code/", url
    step = browser.get("/admin/success/supplier/", follow=True)
    assert "Second step" in step.text and step.context["next"] == "/admin/success/supplier/"
    answer = browser.post("/admin/code/", {"code": code_of(key), "next": "/admin/success/supplier/"})
    assert answer.headers["Location"] == "/admin/success/supplier/" and browser.get("/admin/").status_code == 200
    assert browser.get("/admin/code/").status_code == 302

    other, _ = sign_in("maya")
    assert "used before" in other.post("/admin/code/", {"code": code_of(key)}).text, "a code is good once"
    for n, code in enumerate((codes[0].upper(), codes[0], codes[1].replace("-", " "))):
        other, _ = sign_in("maya")
        found = other.post("/admin/code/", {"code": code, "next": "https://evil.example/"})
        assert (found.status_code, found.headers.get("Location")) == ((200, None) if n == 1 else (302, "/admin/")), "a recovery code is good once"
        StaticToken.objects.first().device.throttle_reset()
    assert second_factor.codes_left(maya) == 8


def test_guessing_codes_is_slowed_down(maya):
    key, _ = second_factor_of(maya)
    browser, _ = sign_in("maya")
    with time_machine.travel(clock.now(), tick=False) as traveller:
        code = code_of(key)
        assert "not right" in browser.post("/admin/code/", {"code": wrong(code)}).text
        assert "Wait 1 second and" in browser.post("/admin/code/", {"code": code}).text
        traveller.shift(timedelta(seconds=2))
        assert "not right" in browser.post("/admin/code/", {"code": wrong(code)}).text
        assert "Wait 2 seconds" in browser.post("/admin/code/", {"code": code}).text
        traveller.shift(timedelta(seconds=3))
        assert browser.post("/admin/code/", {"code": code}).status_code == 302


def test_a_reset_ends_the_sessions_too_and_is_for_others_only(client, ada, maya):
    second_factor_of(maya)
    browser, _ = sign_in("maya")
    assert "second factor is off" in do(client, maya, "reset")
    assert not second_factor.has_one(maya) and browser.get("/admin/").headers["Location"].startswith("/admin/login/")
    second_factor_of(ada)
    with pytest.raises(colleagues.NotYourself):
        second_factor.reset(user=ada, by=ada, at=clock.now())


def test_who_must_have_a_second_factor_does_nothing_before(client, ada, maya, settings):
    settings.REQUIRE_SECOND_FACTOR = [roles.ADMINISTRATOR]
    for user, status in ((ada, 302), (StaffFactory(is_superuser=True), 302), (maya, 200)):
        client.force_login(user)
        assert client.get("/admin/").status_code == status
    client.force_login(ada)
    assert client.post(reverse("console:invite")).headers["Location"] == reverse("console:enrol")
    page = client.get(PEOPLE, follow=True)
    assert "Your role needs a second factor" in page.text
    form = {"key": page.context["signed"], "code": code_of(secret_on(page)), "next": page.context["next"]}
    assert f'href="{PEOPLE}"' in client.post(reverse("console:enrol"), form).text
    assert client.get(PEOPLE).status_code == 200
    client.logout()
    client.force_login(ada)
    assert client.get(PEOPLE).headers["Location"].startswith("/admin/code/")
    assert client.post(reverse("admin:logout")).status_code == 200


# ---------------------------------------------------------------- guessing passwords


def test_guessing_passwords_is_stopped_for_a_while(client, ada, maya, capfd):
    for _ in range(4):
        assert sign_in("maya", "wrong")[1].status_code == 200
    assert sign_in("maya")[1].status_code == 302, "and the count begins anew"
    for n in range(5):
        page = sign_in("maya", "s3cret-guess", headers={"user-agent": f"robot {n}"})[1]
    assert page.status_code == 429 and page.headers["Retry-After"] == "900" and "Wait 15 minutes" in page.text
    assert sign_in("maya")[1].status_code == 429, "the right password too"
    assert sign_in("ada")[1].status_code == 302, "somebody else from there"
    assert sign_in("maya", REMOTE_ADDR="198.51.100.7")[1].status_code == 302, "and she from elsewhere"

    kept = " ".join(str(value) for row in AccessAttempt.objects.values() for value in row.values())
    assert "s3cret-guess" not in kept and "maya" not in "".join(capfd.readouterr())
    with time_machine.travel(clock.now() + timedelta(minutes=16)):
        assert sign_in("maya")[1].status_code == 302


def test_an_administrator_sees_and_lifts_a_lockout(client, ada, maya):
    url = reverse("console:locked_out")
    for _ in range(5):
        sign_in("maya", "wrong")
        sign_in("my-password-in-the-wrong-field", "x")
    page = client.get(url).text
    assert "maya" in page and "127.0.0.1" in page and "unknown-" in page and "my-password" not in page
    assert not AccessAttempt.objects.filter(username__contains="password").exists()
    form = {"name": "maya", "address": "127.0.0.1"}
    assert "try again at once" in client.post(url, form, follow=True).text
    assert "had ended already" in client.post(url, form, follow=True).text
    assert sign_in("maya")[1].status_code == 302
    assert [one.name[:8] for one in lockouts.active(at=clock.now())] == ["unknown-"]


def test_the_address_is_the_one_our_proxies_saw(maya, settings):
    settings.NUM_PROXIES = 1
    for n in range(5):
        sign_in("maya", "wrong", headers={"x-forwarded-for": f"10.0.0.{n}, 203.0.113.9"})
    assert sign_in("maya", headers={"x-forwarded-for": "10.9.9.9, 203.0.113.9"})[1].status_code == 429
    assert sign_in("maya", headers={"x-forwarded-for": "203.0.113.9, 203.0.113.10"})[1].status_code == 302
    for forged in ("nonsense", "1.2.3.4:80", "'", "::1%eth0"):
        assert sign_in("maya", "wrong", headers={"x-forwarded-for": forged})[1].status_code == 200


# ---------------------------------------------------------------- the mailbox of a developer's machine


def test_the_mailbox_shows_a_letter_closed_off(client, mailbox):
    letter = EmailMultiAlternatives("Hello <b>there</b>", "plain words http://example.org/x", to=["olga@example.org"])
    letter.attach_alternative("<h1>rich words</h1><script>alert(1)</script>", "text/html")
    letter.send()
    [name] = mailbox.names()
    assert "Hello &lt;b&gt;there" in client.get("/mailbox/").text
    page = client.get(f"/mailbox/{name}/")
    assert "plain words" in page.text and 'href="http://example.org/x"' in page.text and "Message-ID" in page.text and "rich words" not in page.text
    frame = client.get(f"/mailbox/{name}/html/")
    policy = frame.headers["Content-Security-Policy"]
    assert "<h1>rich words</h1>" in frame.text and "default-src 'none'" in policy and "sandbox" in policy and "script" not in policy
    assert frame.headers["X-Frame-Options"] == "SAMEORIGIN"
    for name in ("..%2F..%2Frun", "draft", "0"):
        assert client.get(f"/mailbox/{name}/").status_code == 404


def test_the_mailbox_keeps_the_newest(mailbox):
    for n in range(7):
        mailbox.keep(b"Subject: %d\r\n\r\n" % n, most=5)
    assert [mailbox.find(name).message["Subject"] for name in mailbox.names()] == ["6", "5", "4", "3", "2"]
    assert mailbox.FOLDER.stat().st_mode & 0o777 == 0o700 and time.time() - mailbox.find(mailbox.names()[0]).at.timestamp() < 60
