// Applies {{ name }}.hpp to events in a text, and prints what the network says:
//
//   {{ name }} GeV events.txt {{ files.values() | join(" ") }}
//
// An event is some lines, and then an empty one:
//
//   event NUMBER simulation|data
//   jet {{ fields.jets | map(attribute="name") | join(" ") }}
//   lepton {{ fields.leptons | map(attribute="name") | reject("equalto", "pdg_id") | join(" ") }} charge pdg_id
//   met {{ fields.met | map(attribute="name") | join(" ") }}
{% if fields.event %}
//   features {{ fields.event | map(attribute="name") | join(" ") }}
{% endif %}

#include "{{ name }}.hpp"

#include <exception>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>

namespace {

{{ name }}::EventNumber number_of(const std::string& text) {
  std::istringstream digits(text);
  std::int64_t negative = 0;
  std::uint64_t number = 0;
  const bool read = text[0] == '-' ? !!(digits >> negative) : !!(digits >> number);
  if (!read || digits.peek() != std::istringstream::traits_type::eof()) {
    throw std::runtime_error("event " + text + ": is no number");
  }
  return text[0] == '-' ? {{ name }}::EventNumber(negative) : {{ name }}::EventNumber(number);
}

void fill(std::istream& line, const std::string& what, {{ name }}::Event& event) {
  if (what == "event") {
    std::string number;
    std::string kind;
    line >> number >> kind;
    if (kind != "simulation" && kind != "data") {
      throw std::runtime_error("event " + number + ": simulation or data?");
    }
    event.event_number = number_of(number);
    event.is_data = kind == "data";
  } else if (what == "jet") {
    {{ name }}::Jet& jet = event.jets.emplace_back();
    line{% for field in fields.jets %} >> jet.{{ field.name }}{% endfor %};
  } else if (what == "lepton") {
    {{ name }}::Lepton& lepton = event.leptons.emplace_back();
    line{% for field in fields.leptons if field.name != "pdg_id" %} >> lepton.{{ field.name }}{% endfor %};
    line >> lepton.charge >> lepton.pdg_id;
  } else if (what == "met") {
    line{% for field in fields.met %} >> event.met.{{ field.name }}{% endfor %};
{% if fields.event %}
  } else if (what == "features") {
    line{% for field in fields.event %} >> event.features.{{ field.name }}{% endfor %};
{% endif %}
  } else {
    throw std::runtime_error("unknown line: " + what);
  }
  if (!line) {
    throw std::runtime_error("a number is missing, or is none, in a line: " + what);
  }
}

/// Whether there was another event.
bool read(std::istream& text, {{ name }}::Event& event) {
  event = {};
  bool found = false;
  for (std::string line; std::getline(text, line) && !(line.empty() && found);) {
    std::istringstream words(line);
    if (std::string what; words >> what) {
      fill(words, what, event);
      found = true;
    }
  }
  return found;
}

std::ostream& operator<<(std::ostream& out, const {{ name }}::Momentum& momentum) {
  return out << momentum.px << ' ' << momentum.py << ' ' << momentum.pz;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3 || (arguments[0] != "MeV" && arguments[0] != "GeV")) {
    std::cerr << "usage: {{ name }} MeV|GeV EVENTS.txt FILE.onnx ...\n";
    return 2;
  }
  const auto unit = arguments[0] == "MeV" ? {{ name }}::Unit::MeV : {{ name }}::Unit::GeV;
  const {{ name }}::Network network({arguments.begin() + 2, arguments.end()}, unit);
  std::ifstream text(arguments[1]);
  if (!text) {
    throw std::runtime_error(arguments[1] + ": cannot be read");
  }
  std::cout << "event b bbar probability{{ " confidence" if confidence }} "
               "nu_px nu_py nu_pz nubar_px nubar_py nubar_pz\n"
            << std::setprecision(9);
  for ({{ name }}::Event event; read(text, event);) {
    const {{ name }}::Result result = network.reconstruct(event);
    std::cout << event.event_number->text() << ' ' << result.b << ' ' << result.bbar << ' '
              << result.probability << ' '{{ " << result.confidence << ' '" if confidence }}
              << result.neutrino << ' ' << result.antineutrino << '\n';
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run({words + 1, words + count});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
