-- grain: one row per rubric row in force
-- rule: the clauses that the month was scored by, with their figures; formula in
--   signs: a numerator, b denominator, n events
-- build: month
with step as (
    select
        step.indicator,
        step.valid_from,
        string_agg(
            concat_ws(
                ' ', nullif(step.part, ''),
                (step.threshold * 0.0001)::decimal(12, 4)::text || '%',
                (step.points * 0.000001)::decimal(9, 2)::text
            ),
            '；' order by step.step
        ) as steps
    from seed.rubric_step as step
    group by step.indicator, step.valid_from
),

rubric as (
    select
        rubric.*,
        (rubric.points * 0.000001)::decimal(7, 2)::text as p,
        (rubric.k * 0.000001)::decimal(7, 2)::text as k_text,
        (rubric.target * 0.0001)::decimal(7, 2)::text as t
    from seed.rubric as rubric
    where rubric.valid_from <= $month
        and (rubric.valid_to is null or rubric.valid_to >= $month)
)

select
    $month as month,
    rubric.position,
    upper(rubric.indicator) as indicator,
    coalesce(name.name, '网格员') as line,
    rubric.name,
    (rubric.points * 0.000001)::decimal(7, 2) as points,
    rubric.rule,
    rubric.clause,
    rubric.cohort,
    concat_ws(
        '、',
        case when rubric.is_community then '社区' end,
        case when rubric.is_area then '片区' end,
        case when rubric.is_building then '楼栋' end,
        case when rubric.is_staff then '个人' end
    ) as levels,
    rubric.valid_from,
    case rubric.rule
        when 'ratio' then rubric.p || ' × a ÷ b'
        when 'inverse' then rubric.p || ' × (1 − a ÷ b)'
        when 'completion' then rubric.p || ' × min(1, a ÷ b)'
        when 'target' then rubric.p || ' − ' || rubric.k_text || ' × max(0, ' || rubric.t || ' − 100 × a ÷ b)'
        when 'day_bands' then rubric.p || ' − Σ k(a ÷ b); ' || rubric.p || ' − ' || rubric.k_text || ' × max(0, ' || rubric.t || ' − 100 × a ÷ b)'
        when 'density' then rubric.p || ' − ' || rubric.k_text || ' × ' || rubric.per::text || ' × a ÷ b'
        when 'share' then rubric.p || ' × a ÷ Σ a'
        when 'bands' then 'k(a ÷ b)'
        when 'coefficient' then rubric.p || ' × k'
        when 'deduct' then rubric.p || ' − Σ k × n'
        when 'line_deduct' then '− Σ k × n'
        when 'bonus' then '+ Σ k × n'
        when 'veto' then '≤ k'
    end as formula,
    step.steps,
    (rubric.cap * 0.000001)::decimal(7, 2) as cap,
    rubric.min_cases,
    rubric.fact,
    upper(rubric.paired_with) as paired_with
from rubric
left join seed.line as name
    on rubric.line = name.line
left join step
    on rubric.indicator = step.indicator
    and rubric.valid_from = step.valid_from
order by rubric.position
